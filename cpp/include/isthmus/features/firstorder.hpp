// First-order statistics of the intensities, without a sort.
#pragma once

#include <array>
#include <span>

#include "isthmus/kernels.hpp"
#include "isthmus/sample.hpp"

namespace isthmus {

inline constexpr std::array firstorder_names = {
    "10Percentile", "90Percentile", "Energy", "Entropy", "InterquartileRange", "Kurtosis", "Maximum", "MeanAbsoluteDeviation",
    "Mean", "Median", "Minimum", "Range", "RobustMeanAbsoluteDeviation", "RootMeanSquared", "Skewness", "TotalEnergy",
    "Uniformity", "Variance"};

std::array<double, firstorder_names.size()> firstorder(const Region& region, const Sample& sample, const Levels& levels,
                                                       const Kernels& kernels);

// The same of the few values of a kernel, which are sorted in place; `shift` is added to them for the energies.
std::array<double, firstorder_names.size()> firstorder_of_few(std::span<double> x, const Levels& levels, double voxel_volume, double shift);

}  // namespace isthmus
