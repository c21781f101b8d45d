// Neighbourhood grey tone difference: how far a voxel's grey level lies from the mean of its neighbours in the region.
#pragma once

#include <array>

#include "isthmus/workspace.hpp"

namespace isthmus {

inline constexpr std::array ngtdm_names = {"Busyness", "Coarseness", "Complexity", "Contrast", "Strength"};

// s_i per level number, from the integer sums by number of neighbours.
std::vector<double> tone_differences(const std::vector<std::uint64_t>& difference_sums, const Levels& levels);

std::array<double, ngtdm_names.size()> ngtdm(const std::vector<std::uint64_t>& difference_sums, const Levels& levels);

// Of one table: per level number the voxels counted and the sum of their differences.
struct ToneTable {
    std::vector<double> voxels, differences;
};

std::array<double, ngtdm_names.size()> ngtdm(const ToneTable& table, const Levels& levels);

}  // namespace isthmus
