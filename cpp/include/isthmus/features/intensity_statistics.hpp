// IBSI intensity statistics (UHIW): the intensities of a region, not discretised.
#pragma once

#include <array>

#include "isthmus/kernels.hpp"
#include "isthmus/sample.hpp"

namespace isthmus {

inline constexpr std::array intensity_statistics_names = {
    "stat_mean", "stat_var", "stat_skew", "stat_kurt", "stat_median", "stat_min", "stat_p10", "stat_p90", "stat_max",
    "stat_iqr", "stat_range", "stat_mad", "stat_rmad", "stat_medad", "stat_cov", "stat_qcod", "stat_energy", "stat_rms"};

// NaN where a value has no meaning: the robust deviation when no intensity lies between the percentiles, and a coefficient
// whose denominator is 0.
std::array<double, intensity_statistics_names.size()> intensity_statistics(const Sample& sample, const Kernels& kernels);

}  // namespace isthmus
