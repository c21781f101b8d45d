#include "isthmus/features/firstorder.hpp"

#include <cmath>
#include <limits>

#include "isthmus/statistics.hpp"

namespace isthmus {

namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();

}  // namespace

std::array<double, firstorder_names.size()> firstorder(const Region& region, const Sample& sample, const Levels& levels,
                                                       const Kernels& kernels) {
    const double n = static_cast<double>(region.size);
    const Statistics s = statistics(sample, kernels);
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
    const double voxel_volume = region.spacing[0] * region.spacing[1] * region.spacing[2];
    return {s.percentile.p10,
            s.percentile.p90,
            s.moments.energy,
            entropy,
            s.percentile.p75 - s.percentile.p25,
            kurtosis,
            sample.maximum,
            s.moments.absolute / n,
            s.mean,
            s.percentile.p50,
            sample.minimum,
            sample.maximum - sample.minimum,
            s.robust,
            std::sqrt(s.moments.energy / n),
            skewness,
            s.moments.energy * voxel_volume,
            uniformity,
            m2};
}

}  // namespace isthmus
