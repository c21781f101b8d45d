#include "isthmus/features/firstorder.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "isthmus/statistics.hpp"

namespace isthmus {

namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();

std::array<double, firstorder_names.size()> named(const Statistics& s, double n, double minimum, double maximum, const Levels& levels,
                                                  double voxel_volume) {
    double entropy = 0, uniformity = 0;
    for (const std::uint64_t voxels : levels.voxels) {
        if (voxels == 0) continue;
        const double p = static_cast<double>(voxels) / n;
        entropy -= p * std::log2(p + epsilon);
        uniformity += p * p;
    }
    const double m2 = s.moments.second / n, m3 = s.moments.third / n, m4 = s.moments.fourth / n;
    const double skewness = m2 == 0 ? 0 : m3 / std::pow(m2, 1.5);
    const double kurtosis = m2 == 0 ? 0 : m4 / (m2 * m2);  // not in excess
    return {s.percentile.p10,
            s.percentile.p90,
            s.moments.energy,
            entropy,
            s.percentile.p75 - s.percentile.p25,
            kurtosis,
            maximum,
            s.moments.absolute / n,
            s.mean,
            s.percentile.p50,
            minimum,
            maximum - minimum,
            s.robust,
            std::sqrt(s.moments.energy / n),
            skewness,
            s.moments.energy * voxel_volume,
            uniformity,
            m2};
}

}  // namespace

std::array<double, firstorder_names.size()> firstorder(const Region& region, const Sample& sample, const Levels& levels,
                                                       const Kernels& kernels) {
    const Statistics s = statistics(sample, kernels);
    return named(s, static_cast<double>(region.size), sample.minimum, sample.maximum, levels,
                 region.spacing[0] * region.spacing[1] * region.spacing[2]);
}

std::array<double, firstorder_names.size()> firstorder_of_few(std::span<double> x, const Levels& levels, double voxel_volume, double shift) {
    std::sort(x.begin(), x.end());
    const Index n = static_cast<Index>(x.size());
    const double minimum = x.front(), maximum = x.back();
    Statistics s{};
    double total = 0;
    for (const double v : x) total += v;
    s.mean = minimum == maximum ? minimum : total / static_cast<double>(n);
    for (const double v : x) {
        const double d = v - s.mean, square = d * d;
        s.moments.second += square;
        s.moments.third += square * d;
        s.moments.fourth += square * square;
        s.moments.absolute += std::abs(d);
        s.moments.energy += (v + shift) * (v + shift);
    }
    s.percentile = percentiles(n, [&](const auto& ranks, auto& order) {
        for (std::size_t q = 0; q < order.size(); ++q) order[q] = x[static_cast<std::size_t>(ranks[q])];
    });
    const auto low = std::lower_bound(x.begin(), x.end(), s.percentile.p10), high = std::upper_bound(low, x.end(), s.percentile.p90);
    if (minimum != maximum) {
        const double count = static_cast<double>(high - low);  // 0 where no value lies between: not defined
        double sum = 0, deviation = 0;
        for (auto v = low; v != high; ++v) sum += *v;
        for (auto v = low; v != high; ++v) deviation += std::abs(*v - sum / count);
        s.robust = deviation / count;
    }
    return named(s, static_cast<double>(n), minimum, maximum, levels, voxel_volume);
}

}  // namespace isthmus
