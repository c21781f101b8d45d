// Grey level dependence: how many of a voxel's 26 neighbours have its grey level, itself included.
#pragma once

#include <array>

#include "isthmus/kernels.hpp"
#include "isthmus/workspace.hpp"

namespace isthmus {

inline constexpr std::array gldm_names = {
    "DependenceEntropy", "DependenceNonUniformity", "DependenceNonUniformityNormalized", "DependenceVariance",
    "GrayLevelNonUniformity", "GrayLevelVariance", "HighGrayLevelEmphasis", "LargeDependenceEmphasis",
    "LargeDependenceHighGrayLevelEmphasis", "LargeDependenceLowGrayLevelEmphasis", "LowGrayLevelEmphasis",
    "SmallDependenceEmphasis", "SmallDependenceHighGrayLevelEmphasis", "SmallDependenceLowGrayLevelEmphasis"};

// One pass over the 26 neighbours for GLDM and NGTDM: fills `dependence_counts` and `difference_sums` of the workspace.
void count_neighbourhoods(const Region& region, const Kernels& kernels, Workspace& work);

std::array<double, gldm_names.size()> gldm(const std::vector<std::uint64_t>& dependence_counts, const Levels& levels);

}  // namespace isthmus
