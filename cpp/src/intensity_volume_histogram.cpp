#include "isthmus/features/intensity_volume_histogram.hpp"

#include <limits>

namespace isthmus {

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

// nu_g: the part of the volume with level g or more.
double volume_fraction(const Histogram& h, std::uint32_t g) {
    return static_cast<double>(h.size - h.below[g]) / static_cast<double>(h.size);
}

// The largest volume fraction with an intensity fraction of at least `x`. A quotient is compared, so a fraction that is exactly
// `x` counts as `x`.
double volume_at(const Histogram& h, double x) {
    if (h.bins < 2) return none;
    for (std::uint32_t g = 1; g <= h.bins; ++g)
        if (static_cast<double>(g - 1) / static_cast<double>(h.bins - 1) >= x) return volume_fraction(h, g);
    return none;
}

// The lowest level that at most the part `x` of the volume reaches.
double level_at(const Histogram& h, double x) {
    for (std::uint32_t g = 1; g <= h.bins; ++g)
        if (volume_fraction(h, g) <= x) return g;
    return none;
}

// Trapezoids under the volume fraction over the intensity fraction; 0 for one bin (IBSI).
double area(const Histogram& h) {
    double total = 0;
    for (std::uint32_t g = 1; g < h.bins; ++g) total += (volume_fraction(h, g) + volume_fraction(h, g + 1)) / 2;
    return h.bins < 2 ? 0 : total / static_cast<double>(h.bins - 1);
}

}  // namespace

std::array<double, intensity_volume_histogram_names.size()> intensity_volume_histogram(const Histogram& h, double first, double step) {
    const double v10 = volume_at(h, 0.10), v90 = volume_at(h, 0.90);
    const double i10 = first + step * (level_at(h, 0.10) - 1), i90 = first + step * (level_at(h, 0.90) - 1);
    return {v10, v90, i10, i90, v10 - v90, i10 - i90, area(h)};
}

}  // namespace isthmus
