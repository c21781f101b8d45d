// Grey level dependence: how many of a voxel's neighbours have its grey level, itself included.
#pragma once

#include <array>

#include "isthmus/count_matrix.hpp"
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

// IBSI's name for the family, with three more features.
inline constexpr std::array ngldm_names = {
    "DependenceEntropy", "DependenceNonUniformity", "DependenceNonUniformityNormalized", "DependenceVariance",
    "GrayLevelNonUniformity", "GrayLevelVariance", "HighGrayLevelEmphasis", "LargeDependenceEmphasis",
    "LargeDependenceHighGrayLevelEmphasis", "LargeDependenceLowGrayLevelEmphasis", "LowGrayLevelEmphasis",
    "SmallDependenceEmphasis", "SmallDependenceHighGrayLevelEmphasis", "SmallDependenceLowGrayLevelEmphasis",
    "DependenceEnergy", "GrayLevelNonUniformityNormalized", "DependencePercentage"};

// Of one matrix: rows are levels, columns dependences; `voxels` is how many voxels it was counted from.
std::array<double, ngldm_names.size()> ngldm(const CountMatrix& dependences, double voxels, const Levels& levels);

}  // namespace isthmus
