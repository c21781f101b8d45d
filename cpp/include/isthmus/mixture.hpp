// One-dimensional Gaussian mixtures by EM, and how far the components of one lie apart: the arithmetic of iTED.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "isthmus/view.hpp"

namespace isthmus {

inline constexpr int most_components = 4;

struct MixtureSettings {
    int most = most_components;      // components tried
    int iterations = 200;            // of EM
    double tolerance = 1e-6;         // change of the mean log-likelihood at which EM ends
    bool floor_is_added = false;     // the variance floor is added to every variance; otherwise it is the least variance
    double least_share = 0;          // of the weight that every component must have, else the number of components is not admitted
    double least_count = 0;          // of values, likewise
    double separation = 0;           // Ashman's D that neighbouring components must exceed, likewise
    bool weighted = true;            // dispersion with the components' weights; otherwise every component counts the same
    bool start_anew = false;         // resamples start from their own k-means partition; otherwise from the mixture found
    int resamples = 0;               // bootstrap samples of the values, the number of components fixed
    int least_resampled = 10;        // with fewer values there is no interval
    bool one_has_interval = false;   // with one component the interval is (0, 0); otherwise it is not known
};

struct Mixture {
    int components = 0;
    std::array<double, most_components> weight{}, mean{}, variance{};  // ascending means
    double log_likelihood = 0;
};

struct Dispersion {
    double value, lower, upper, error;  // NaN where not known; limits: 2.5 and 97.5 per cent, error: standard deviation of the resamples
    Mixture mixture;
};

// The dispersion of `values` (finite, at least two) with positive `weights`.
Dispersion dispersion(std::span<const double> values, std::span<const double> weights, double floor, std::uint64_t seed,
                      const MixtureSettings& settings, const char* instructions);

}  // namespace isthmus
