#include "isthmus/sample.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace isthmus {

namespace {

template <class Source, class Value>
void gather(const Region& region, const ImageView& image, std::vector<Value>& out) {
    out.reserve(static_cast<std::size_t>(region.size));
    const Source* data = static_cast<const Source*>(image.data);
    for (const Run& run : region.runs) {
        const auto [k, j, i] = region.coordinates(run.offset);
        const Source* p = data + k * image.stride[0] + j * image.stride[1] + i * image.stride[2];
        if (image.stride[2] == 1)
            out.insert(out.end(), p, p + run.length);
        else
            for (Index x = 0; x < run.length; ++x) out.push_back(static_cast<Value>(p[x * image.stride[2]]));
    }
}

// Adding and taking away this leaves whole numbers as they are, and rounds others (of less than 2^22).
template <class Value>
constexpr Value rounder = sizeof(Value) == 4 ? static_cast<Value>(12582912.0) : static_cast<Value>(6755399441055744.0);
constexpr double largest_rounded = 4194304;

// Minimum, maximum and number of values that are not finite; returns whether all are whole numbers.
template <class Value>
bool range(const std::vector<Value>& x, double& minimum, double& maximum, Index& not_finite) {
    constexpr Index lanes = 16;
    const Index n = static_cast<Index>(x.size());
    Value low[lanes], high[lanes], check[lanes], odd[lanes];
    for (Index l = 0; l < lanes; ++l) low[l] = high[l] = x[0], check[l] = odd[l] = 0;
    auto look = [&](Index l, Value v) {
        low[l] = v < low[l] ? v : low[l];
        high[l] = v > high[l] ? v : high[l];
        check[l] += v - v;  // stays 0 while every value is finite
        odd[l] = (v + rounder<Value>)-rounder<Value> == v ? odd[l] : Value{1};
    };
    Index i = 0;
    for (; i + lanes <= n; i += lanes)
#pragma GCC unroll 1  // unrolled, it is no longer seen as a vector
        for (Index l = 0; l < lanes; ++l) look(l, x[static_cast<std::size_t>(i + l)]);
    for (; i < n; ++i) look(0, x[static_cast<std::size_t>(i)]);
    bool finite = true, whole = true;
    for (Index l = 0; l < lanes; ++l) {
        finite = finite && check[l] == 0;
        whole = whole && odd[l] == 0;
    }
    not_finite = finite ? 0 : std::count_if(x.begin(), x.end(), [](Value v) { return !std::isfinite(v); });
    minimum = *std::min_element(low, low + lanes);
    maximum = *std::max_element(high, high + lanes);
    return whole && finite && minimum > -largest_rounded && maximum < largest_rounded;
}

// Histogram of whole numbers. Neighbours often are equal, and an increment waits for the one before it in its cell: two tables take turns.
template <class Value>
void count_whole(const std::vector<Value>& x, double minimum, double maximum, std::vector<std::uint32_t>& count) {
    const std::size_t span = static_cast<std::size_t>(maximum - minimum) + 1, n = x.size();
    if (span > 65536 || span > 4 * n) return;
    count.assign(2 * span, 0);
    const Value first = static_cast<Value>(minimum);
    std::uint32_t *even = count.data(), *odd = even + span;
    constexpr std::size_t block = 512;
    std::int32_t cell[block];
    for (std::size_t at = 0; at < n; at += block) {
        const std::size_t here = std::min(block, n - at);
        for (std::size_t i = 0; i < here; ++i) cell[i] = static_cast<std::int32_t>(x[at + i] - first);
        for (std::size_t i = 0; i + 1 < here; i += 2) ++even[cell[i]], ++odd[cell[i + 1]];
        if (here % 2 != 0) ++even[cell[here - 1]];
    }
    for (std::size_t v = 0; v < span; ++v) even[v] += odd[v];
    count.resize(span);
}

}  // namespace

Sample::Sample(const Region& region, const ImageView& image) {
    if (image.shape != region.shape) throw std::invalid_argument("image box and mask box have different shapes");
    single = image.scalar == Scalar::int16 || image.scalar == Scalar::float32;
    switch (image.scalar) {
        case Scalar::int16: gather<std::int16_t>(region, image, f32); break;
        case Scalar::float32: gather<float>(region, image, f32); break;
        case Scalar::int32: gather<std::int32_t>(region, image, f64); break;
        case Scalar::float64: gather<double>(region, image, f64); break;
    }
    if (single ? range(f32, minimum, maximum, not_finite) : range(f64, minimum, maximum, not_finite)) {
        if (single)
            count_whole(f32, minimum, maximum, whole);
        else
            count_whole(f64, minimum, maximum, whole);
    }
}

}  // namespace isthmus
