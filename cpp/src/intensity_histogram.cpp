#include "isthmus/features/intensity_histogram.hpp"

#include <cmath>
#include <limits>

#include "isthmus/ratio.hpp"

namespace isthmus {

namespace {

// Linear between order statistics, as for intensities.
double percentile(const Histogram& h, double quantile) {
    const double position = quantile * static_cast<double>(h.size - 1), whole = std::floor(position);
    const Index rank = static_cast<Index>(whole);
    const double a = h.at(rank), b = rank + 1 < h.size ? h.at(rank + 1) : a, t = position - whole;
    return t >= 0.5 ? b - (b - a) * (1 - t) : a + (b - a) * t;
}

struct Moments4 {
    double mean, second, third, fourth;
};

Moments4 moments(const Histogram& h) {
    const double n = static_cast<double>(h.size);
    Moments4 m{};
    for (std::uint32_t g = h.lowest; g <= h.highest; ++g) m.mean += static_cast<double>(h.count[g]) * g;
    m.mean /= n;
    for (std::uint32_t g = h.lowest; g <= h.highest; ++g) {
        const double d = g - m.mean, w = static_cast<double>(h.count[g]) / n;
        m.second += w * d * d;
        m.third += w * d * d * d;
        m.fourth += w * d * d * d * d;
    }
    return m;
}

// Mean of |g - centre| over the voxels with a level from `low` to `high`.
double deviation(const Histogram& h, double low, double high, double centre) {
    double total = 0, n = 0;
    for (std::uint32_t g = h.lowest; g <= h.highest; ++g) {
        if (g < low || g > high) continue;
        const double w = static_cast<double>(h.count[g]);
        total += w * std::fabs(g - centre);
        n += w;
    }
    return ratio(total, n);
}

double robust_deviation(const Histogram& h, double low, double high) {
    double total = 0, n = 0;
    for (std::uint32_t g = h.lowest; g <= h.highest; ++g) {
        if (g < low || g > high) continue;
        total += static_cast<double>(h.count[g]) * g;
        n += static_cast<double>(h.count[g]);
    }
    return n == 0 ? std::numeric_limits<double>::quiet_NaN() : deviation(h, low, high, total / n);
}

// The commonest level; of several, the one nearest to the mean, and of two equally near ones the lower.
std::uint32_t mode(const Histogram& h, double mean) {
    std::uint32_t best = h.lowest;
    for (std::uint32_t g = h.lowest + 1; g <= h.highest; ++g)
        if (h.count[g] > h.count[best] || (h.count[g] == h.count[best] && std::fabs(g - mean) < std::fabs(best - mean))) best = g;
    return best;
}

struct Gradient {
    double largest, largest_at, smallest, smallest_at;
};

// Central differences of the counts, one-sided at both ends; the first of equal extremes.
Gradient gradient(const Histogram& h) {
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    if (h.bins < 2) return {none, none, none, none};
    auto n = [&](std::uint32_t g) { return static_cast<double>(h.count[g]); };
    constexpr double far = std::numeric_limits<double>::infinity();
    Gradient found{-far, 0, far, 0};
    for (std::uint32_t g = 1; g <= h.bins; ++g) {
        const double slope = g == 1 ? n(2) - n(1) : g == h.bins ? n(g) - n(g - 1) : (n(g + 1) - n(g - 1)) / 2;
        if (slope > found.largest) found.largest = slope, found.largest_at = g;
        if (slope < found.smallest) found.smallest = slope, found.smallest_at = g;
    }
    return found;
}

}  // namespace

std::array<double, intensity_histogram_names.size()> intensity_histogram(const Histogram& h) {
    const double n = static_cast<double>(h.size);
    const auto [mean, variance, third, fourth] = moments(h);
    const double p10 = percentile(h, 0.10), p25 = percentile(h, 0.25), p50 = percentile(h, 0.5), p75 = percentile(h, 0.75),
                 p90 = percentile(h, 0.90);
    double entropy = 0, uniformity = 0;
    for (const std::uint64_t count : h.count) {
        if (count == 0) continue;
        const double p = static_cast<double>(count) / n;
        entropy -= p * std::log2(p);
        uniformity += p * p;
    }
    const Gradient slope = gradient(h);
    return {mean,
            variance,
            variance == 0 ? 0 : third / std::pow(variance, 1.5),
            variance == 0 ? 0 : fourth / (variance * variance) - 3,
            p50,
            static_cast<double>(h.lowest),
            p10,
            p90,
            static_cast<double>(h.highest),
            static_cast<double>(mode(h, mean)),
            p75 - p25,
            static_cast<double>(h.highest - h.lowest),
            deviation(h, h.lowest, h.highest, mean),
            robust_deviation(h, p10, p90),
            deviation(h, h.lowest, h.highest, p50),
            std::sqrt(variance) / mean,
            (p75 - p25) / (p75 + p25),
            entropy,
            uniformity,
            slope.largest,
            slope.largest_at,
            slope.smallest,
            slope.smallest_at};
}

}  // namespace isthmus
