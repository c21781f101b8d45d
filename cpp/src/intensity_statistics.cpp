#include "isthmus/features/intensity_statistics.hpp"

#include <cmath>
#include <limits>

#include "isthmus/ratio.hpp"
#include "isthmus/statistics.hpp"

namespace isthmus {

namespace {

// Sum of |x - centre| over all values.
double deviation(const Sample& sample, double centre, const Kernels& kernels) {
    constexpr double all = std::numeric_limits<double>::infinity();
    double total = 0, count = 0;
    if (sample.single)
        kernels.robust32(sample.f32.data(), static_cast<Index>(sample.f32.size()), -all, all, centre, true, &total, &count);
    else
        kernels.robust64(sample.f64.data(), static_cast<Index>(sample.f64.size()), -all, all, centre, true, &total, &count);
    return total;
}

}  // namespace

std::array<double, intensity_statistics_names.size()> intensity_statistics(const Sample& sample, const Kernels& kernels) {
    const double n = static_cast<double>(sample.single ? sample.f32.size() : sample.f64.size());
    const Statistics s = statistics(sample, kernels);
    const Percentiles& p = s.percentile;
    const double variance = s.moments.second / n;
    const double iqr = p.p75 - p.p25;
    return {s.mean,
            variance,
            variance == 0 ? 0 : s.moments.third / n / std::pow(variance, 1.5),
            variance == 0 ? 0 : s.moments.fourth / n / (variance * variance) - 3,
            p.p50,
            sample.minimum,
            p.p10,
            p.p90,
            sample.maximum,
            iqr,
            sample.maximum - sample.minimum,
            s.moments.absolute / n,
            s.robust,
            deviation(sample, p.p50, kernels) / n,
            ratio(std::sqrt(variance), s.mean),
            ratio(iqr, p.p75 + p.p25),
            s.moments.energy,
            std::sqrt(s.moments.energy / n)};
}

}  // namespace isthmus
