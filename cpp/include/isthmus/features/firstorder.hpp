// First-order statistics of the intensities, without a sort.
#pragma once

#include <array>

#include "isthmus/kernels.hpp"
#include "isthmus/sample.hpp"

namespace isthmus {

inline constexpr std::array firstorder_names = {
    "10Percentile", "90Percentile", "Energy", "Entropy", "InterquartileRange", "Kurtosis", "Maximum", "MeanAbsoluteDeviation",
    "Mean", "Median", "Minimum", "Range", "RobustMeanAbsoluteDeviation", "RootMeanSquared", "Skewness", "TotalEnergy",
    "Uniformity", "Variance"};

std::array<double, firstorder_names.size()> firstorder(const Region& region, const Sample& sample, const Levels& levels,
                                                       const Kernels& kernels);

}  // namespace isthmus
