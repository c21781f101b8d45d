#include "isthmus/features/morphology.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "isthmus/convex_hull.hpp"
#include "isthmus/enclosing.hpp"
#include "isthmus/mesh.hpp"
#include "isthmus/principal_axes.hpp"

namespace isthmus {

namespace {

struct Mass {
    double total = 0;
    std::array<double, 3> moment{};  // sums of intensity times position, in voxels of the padded box
};

template <class Value>
Mass mass(const Region& region, const std::vector<Value>& x) {
    Mass m;
    for (const Run& run : region.runs) {
        double sum = 0, first = 0;
        const Value* v = x.data() + run.start;
        for (Index n = 0; n < run.length; ++n) {
            sum += static_cast<double>(v[n]);
            first += static_cast<double>(v[n]) * static_cast<double>(n);
        }
        m.total += sum;
        m.moment[0] += sum * static_cast<double>(run.offset / region.step[0]);
        m.moment[1] += sum * static_cast<double>(run.offset % region.step[0] / region.step[1]);
        m.moment[2] += sum * static_cast<double>(run.offset % region.step[1]) + first;
    }
    return m;
}

// Distance between the region's centre and the centre of mass of its intensities.
double centre_of_mass_shift(const Region& region, const Mass& m) {
    std::array<std::int64_t, 3> first{};
    for (const Run& run : region.runs) {
        first[0] += run.length * (run.offset / region.step[0]);
        first[1] += run.length * (run.offset % region.step[0] / region.step[1]);
        first[2] += run.length * (run.offset % region.step[1]) + run.length * (run.length - 1) / 2;
    }
    double squared = 0;
    for (std::size_t a = 0; a < 3; ++a) {
        const double d = (static_cast<double>(first[a]) / static_cast<double>(region.size) - m.moment[a] / m.total) * region.spacing[a];
        squared += d * d;
    }
    return std::sqrt(squared);
}

double box_area(const std::array<double, 3>& side) { return 2 * (side[0] * side[1] + side[1] * side[2] + side[2] * side[0]); }

}  // namespace

std::array<double, morphology_names.size()> morphology(const Region& region, const Region& intensity, const Sample& sample, const Kernels& kernels) {
    if (region.shape != intensity.shape) throw std::invalid_argument("morphological and intensity mask have different shapes");
    if (sample.not_finite > 0) throw std::invalid_argument(std::to_string(sample.not_finite) + " voxels of the intensity mask are NaN or infinite");
    const double pi = 3.14159265358979323846, undefined = std::numeric_limits<double>::quiet_NaN();
    const double n = static_cast<double>(region.size);
    const std::array<double, 3>& spacing = region.spacing;

    const Mesh m = mesh(region, kernels);
    const double volume = m.volume, area = m.area;
    const double roundness = 36 * pi * volume * volume / (area * area * area);

    std::array<double, 3> variance = principal_moments(region);
    for (double& v : variance) v = n > 1 ? v * (n / (n - 1)) : undefined;
    const std::array<double, 3> semi{2 * std::sqrt(variance[0]), 2 * std::sqrt(variance[1]), 2 * std::sqrt(variance[2])};
    const Solid aee = ellipsoid(semi);

    const std::array<double, 3> step{spacing[0] / 2, spacing[1] / 2, spacing[2] / 2};
    const ConvexHull hull = convex_hull(m.corners);
    std::array<int, 3> low, high;
    low.fill(std::numeric_limits<int>::max());
    high.fill(std::numeric_limits<int>::min());
    for (const LatticePoint& p : hull.vertices) {
        const std::array<int, 3> at{p.k, p.j, p.i};
        for (std::size_t a = 0; a < 3; ++a) low[a] = std::min(low[a], at[a]), high[a] = std::max(high[a], at[a]);
    }
    std::array<double, 3> side;
    for (std::size_t a = 0; a < 3; ++a) side[a] = (high[a] - low[a]) * step[a];
    const Solid convex = measure(hull, step), box = oriented_box(hull, step), mvee = ellipsoid(enclosing_ellipsoid(hull, step));

    const Mass weighed = sample.single ? mass(intensity, sample.f32) : mass(intensity, sample.f64);
    auto ratio = [&](double a, double b) { return b > 0 ? a / b : undefined; };
    return {volume,
            n * spacing[0] * spacing[1] * spacing[2],
            area,
            area / volume,
            volume / std::sqrt(pi * area * area * area),
            roundness,
            1 / std::cbrt(roundness),
            std::cbrt(roundness),
            1 / std::cbrt(roundness) - 1,
            weighed.total != 0 ? centre_of_mass_shift(region, weighed) : undefined,
            m.whole,
            2 * semi[2],
            2 * semi[1],
            2 * semi[0],
            ratio(semi[1], semi[2]),
            ratio(semi[0], semi[2]),
            volume / (side[0] * side[1] * side[2]),
            area / box_area(side),
            volume / box.volume,
            area / box.area,
            ratio(volume, aee.volume),
            aee.volume > 0 ? area / aee.area : undefined,
            volume / mvee.volume,
            area / mvee.area,
            volume / convex.volume,
            area / convex.area,
            volume * weighed.total / static_cast<double>(intensity.size)};
}

}  // namespace isthmus
