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

template <class Value>
void range(const std::vector<Value>& x, double& minimum, double& maximum, Index& not_finite) {
    constexpr Index lanes = 16;
    const Index n = static_cast<Index>(x.size());
    Value low[lanes], high[lanes], check[lanes];
    for (Index l = 0; l < lanes; ++l) low[l] = high[l] = x[0], check[l] = 0;
    Index i = 0;
    for (; i + lanes <= n; i += lanes)
#pragma GCC unroll 1  // unrolled, it is no longer seen as a vector
        for (Index l = 0; l < lanes; ++l) {
            const Value v = x[static_cast<std::size_t>(i + l)];
            low[l] = v < low[l] ? v : low[l];
            high[l] = v > high[l] ? v : high[l];
            check[l] += v - v;  // stays 0 while every value is finite
        }
    for (; i < n; ++i) {
        const Value v = x[static_cast<std::size_t>(i)];
        low[0] = v < low[0] ? v : low[0];
        high[0] = v > high[0] ? v : high[0];
        check[0] += v - v;
    }
    bool finite = true;
    for (Index l = 0; l < lanes; ++l) finite = finite && check[l] == 0;
    not_finite = finite ? 0 : std::count_if(x.begin(), x.end(), [](Value v) { return !std::isfinite(v); });
    minimum = *std::min_element(low, low + lanes);
    maximum = *std::max_element(high, high + lanes);
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
    if (single)
        range(f32, minimum, maximum, not_finite);
    else
        range(f64, minimum, maximum, not_finite);
}

}  // namespace isthmus
