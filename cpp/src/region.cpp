#include "isthmus/region.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <string>

namespace isthmus {

namespace {

static_assert(std::endian::native == std::endian::little, "the first byte of a word is its lowest");

// Position of the first byte that is not zero, or `n`.
Index first_set(const std::uint8_t* p, Index n) {
    Index i = 0;
    for (; i + 8 <= n; i += 8) {
        std::uint64_t word;
        std::memcpy(&word, p + i, 8);
        if (word != 0) return i + std::countr_zero(word) / 8;
    }
    while (i < n && p[i] == 0) ++i;
    return i;
}

// Position of the first zero byte, or `n`.
Index first_clear(const std::uint8_t* p, Index n) {
    constexpr std::uint64_t ones = 0x0101010101010101u;
    Index i = 0;
    for (; i + 8 <= n; i += 8) {
        std::uint64_t word;
        std::memcpy(&word, p + i, 8);
        if (const std::uint64_t zeros = (word - ones) & ~word & (ones << 7); zeros != 0) return i + std::countr_zero(zeros) / 8;
    }
    while (i < n && p[i] != 0) ++i;
    return i;
}

// Ors rows together, column by column.
void gather_columns(const std::uint8_t* row, Index rows, Index stride, Index n, std::uint8_t* any) {
    Index j = 0;
    for (; j + 4 <= rows; j += 4, row += 4 * stride) {
        const std::uint8_t *r0 = row, *r1 = row + stride, *r2 = r1 + stride, *r3 = r2 + stride;
#pragma GCC ivdep
        for (Index i = 0; i < n; ++i) any[i] = static_cast<std::uint8_t>((any[i] | r0[i]) | (r1[i] | (r2[i] | r3[i])));
    }
    for (; j < rows; ++j, row += stride)
#pragma GCC ivdep
        for (Index i = 0; i < n; ++i) any[i] |= row[i];
}

}  // namespace

BoundingBox bounding_box(const MaskView& m) {
    const Index nk = m.shape[0], nj = m.shape[1], ni = m.shape[2];
    Index low_j = nj, high_j = -1, low_k = -1, high_k = -1;
    std::vector<std::uint8_t> all(static_cast<std::size_t>(ni), 0), any(all.size());
    for (Index k = 0; k < nk; ++k) {
        const std::uint8_t* plane = m.data + k * m.stride[0];
        std::fill(any.begin(), any.end(), std::uint8_t{0});
        gather_columns(plane, nj, m.stride[1], ni, any.data());
        if (first_set(any.data(), ni) == ni) continue;
        if (low_k < 0) low_k = k;
        high_k = k;
        gather_columns(any.data(), 1, ni, ni, all.data());
        auto empty = [&](Index j) { return first_set(plane + j * m.stride[1], ni) == ni; };
        Index j = 0;
        while (j < low_j && empty(j)) ++j;
        low_j = j;
        j = nj - 1;
        while (j > high_j && empty(j)) --j;
        high_j = j;
    }
    BoundingBox box;
    if (low_k < 0) return box;
    box.found = true;
    Index high_i = ni;
    while (all[static_cast<std::size_t>(high_i - 1)] == 0) --high_i;
    box.low = {low_k, low_j, first_set(all.data(), ni)};
    box.high = {high_k + 1, high_j + 1, high_i};
    return box;
}

Region::Region(const MaskView& m, std::array<double, 3> spacing_mm) : shape(m.shape), spacing(spacing_mm) {
    for (int a = 0; a < 3; ++a) {
        if (!(spacing[a] > 0)) throw std::invalid_argument("spacing must be positive, got " + std::to_string(spacing[a]));
        padded[a] = shape[a] + 2;
        longest_side = std::max(longest_side, shape[a]);
    }
    if (longest_side > 32000) throw std::invalid_argument("a region may span at most 32000 voxels along an axis");
    step = {padded[1] * padded[2], padded[2], 1};
    volume = padded[0] * step[0];
    mask.assign(static_cast<std::size_t>(volume + 2 * spare), 0);
    std::uint8_t* origin = mask.data() + spare;
    plane_begin.reserve(static_cast<std::size_t>(shape[0] + 1));
    runs.reserve(static_cast<std::size_t>(shape[0] * shape[1]));
    for (Index k = 0; k < shape[0]; ++k) {
        plane_begin.push_back(static_cast<Index>(runs.size()));
        for (Index j = 0; j < shape[1]; ++j) {
            const std::uint8_t* row = m.data + k * m.stride[0] + j * m.stride[1];
            const Index base = (k + 1) * step[0] + (j + 1) * step[1] + 1;
            Index i = first_set(row, shape[2]);
            while (i < shape[2]) {
                const Index end = i + first_clear(row + i, shape[2] - i);
                std::memset(origin + base + i, 1, static_cast<std::size_t>(end - i));
                runs.push_back({base + i, end - i, size});
                size += end - i;
                i = end + first_set(row + end, shape[2] - end);
            }
        }
    }
    plane_begin.push_back(static_cast<Index>(runs.size()));
    if (size == 0) throw std::invalid_argument("the mask is empty");

    // Whole vectors: what they write beyond a run is written again by the next one.
    constexpr Index block = 16;
    neighbours.resize(static_cast<std::size_t>(size + spare));
    std::vector<std::uint8_t> nine(static_cast<std::size_t>(shape[2] + 2 * block));  // sums over the nine rows, column by column
    for (const Run& run : runs) {
        const std::uint8_t* before = origin + run.offset - 1;  // one column more at both ends
        const std::uint8_t* rows[9];
        for (Index dk = -1; dk <= 1; ++dk)
            for (Index dj = -1; dj <= 1; ++dj) rows[3 * (dk + 1) + dj + 1] = before + dk * step[0] + dj * step[1];
        const Index columns = (run.length + 2 + block - 1) / block * block, n = (run.length + block - 1) / block * block;
        std::uint8_t *sums = nine.data(), *out = neighbours.data() + run.start;
#pragma GCC ivdep
        for (Index i = 0; i < columns; ++i) {
            std::uint8_t total = 0;
#pragma GCC unroll 9
            for (int q = 0; q < 9; ++q) total = static_cast<std::uint8_t>(total + rows[q][i]);
            sums[i] = total;
        }
#pragma GCC ivdep
        for (Index i = 0; i < n; ++i) out[i] = static_cast<std::uint8_t>(sums[i] + sums[i + 1] + sums[i + 2] - 1);  // without the voxel itself
    }
}

}  // namespace isthmus
