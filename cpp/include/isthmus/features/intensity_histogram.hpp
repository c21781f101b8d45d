// IBSI intensity histogram (ZVCW): the grey levels of a region as numbers.
#pragma once

#include <array>

#include "isthmus/histogram.hpp"

namespace isthmus {

inline constexpr std::array intensity_histogram_names = {
    "ih_mean", "ih_var", "ih_skew", "ih_kurt", "ih_median", "ih_min", "ih_p10", "ih_p90", "ih_max", "ih_mode", "ih_iqr",
    "ih_range", "ih_mad", "ih_rmad", "ih_medad", "ih_cov", "ih_qcod", "ih_entropy", "ih_uniformity", "ih_max_grad",
    "ih_max_grad_g", "ih_min_grad", "ih_min_grad_g"};

// NaN where a value has no meaning: the gradient of a histogram of one bin, the robust deviation when no level lies between the
// percentiles.
std::array<double, intensity_histogram_names.size()> intensity_histogram(const Histogram& histogram);

}  // namespace isthmus
