// IBSI intensity-volume histogram (P88C): which part of the region has at least a given intensity.
#pragma once

#include <array>

#include "isthmus/histogram.hpp"

namespace isthmus {

inline constexpr std::array intensity_volume_histogram_names = {
    "ivh_v10", "ivh_v90", "ivh_i10", "ivh_i90", "ivh_diff_v10_v90", "ivh_diff_i10_i90", "ivh_auc"};

// Level g stands for the intensity `first + step * (g - 1)`; the intensity fraction runs from 0 at level 1 to 1 at level N_g.
// NaN where a value has no meaning: the intensity fraction of one bin, an intensity that no level is rare enough for.
std::array<double, intensity_volume_histogram_names.size()> intensity_volume_histogram(const Histogram& histogram, double first,
                                                                                       double step);

}  // namespace isthmus
