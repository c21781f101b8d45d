#include "isthmus/lines.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

namespace isthmus {

namespace {

constexpr Index lane = 8;  // neighbouring elements summed in registers
constexpr Index block = 64 * lane;  // of a row: the rows one result needs stay in the nearest cache

// One result row, `count` elements; rows of the input lie `stride` apart. Each element is summed in the map's order, so that
// neither lanes nor blocks change a bit.
void row(const double* in, Index stride, Index count, const LineMap& map, std::size_t r, double* out) {
    const auto first = static_cast<std::size_t>(map.starts[r]), last = static_cast<std::size_t>(map.starts[r + 1]);
    Index b = 0;
    for (; b + lane <= count; b += lane) {
        double sum[lane] = {};
        for (std::size_t e = first; e < last; ++e) {
            const double weight = map.weights[e];
            const double* source = in + map.columns[e] * stride + b;
            for (Index l = 0; l < lane; ++l) sum[l] += weight * source[l];
        }
        std::copy_n(sum, lane, out + b);
    }
    for (; b < count; ++b) {
        double sum = 0;
        for (std::size_t e = first; e < last; ++e) sum += map.weights[e] * in[map.columns[e] * stride + b];
        out[b] = sum;
    }
}

}  // namespace

void check(const LineMap& map, Index size) {
    const auto& starts = map.starts;
    if (starts.empty() || starts.front() != 0 || !std::is_sorted(starts.begin(), starts.end()) ||
        static_cast<std::size_t>(starts.back()) != map.weights.size() || map.columns.size() != map.weights.size())
        throw std::invalid_argument("starts must rise from 0 to the number of weights, one column for each");
    for (const auto column : map.columns)
        if (column < 0 || column >= size)
            throw std::invalid_argument("column " + std::to_string(column) + " lies outside an axis of " + std::to_string(size));
}

void map_lines(const double* in, const std::array<Index, 3>& shape, int axis, const LineMap& map, double* out) {
    const Index size = shape[static_cast<std::size_t>(axis)], rows = static_cast<Index>(map.starts.size()) - 1;
    Index outer = 1, inner = 1;
    for (int a = 0; a < axis; ++a) outer *= shape[static_cast<std::size_t>(a)];
    for (int a = axis + 1; a < 3; ++a) inner *= shape[static_cast<std::size_t>(a)];
    if (inner > 1) {
        for (Index o = 0; o < outer; ++o)
            for (Index b = 0; b < inner; b += block)
                for (Index r = 0; r < rows; ++r)
                    row(in + o * size * inner + b, inner, std::min(block, inner - b), map, static_cast<std::size_t>(r),
                        out + (o * rows + r) * inner + b);
        return;
    }
    // Lines along the last axis: a few at a time, turned so that they lie side by side.
    std::vector<double> turned(static_cast<std::size_t>(size * lane)), result(static_cast<std::size_t>(rows * lane));
    for (Index o = 0; o < outer; o += lane) {
        const Index count = std::min(lane, outer - o);
        for (Index l = 0; l < count; ++l)
            for (Index n = 0; n < size; ++n) turned[static_cast<std::size_t>(n * lane + l)] = in[(o + l) * size + n];
        for (Index r = 0; r < rows; ++r)
            row(turned.data(), lane, lane, map, static_cast<std::size_t>(r), result.data() + r * lane);
        for (Index l = 0; l < count; ++l)
            for (Index r = 0; r < rows; ++r) out[(o + l) * rows + r] = result[static_cast<std::size_t>(r * lane + l)];
    }
}

}  // namespace isthmus
