// Grey level size zone: zones are 26-connected voxels of one grey level.
#pragma once

#include <array>

#include "isthmus/kernels.hpp"
#include "isthmus/workspace.hpp"

namespace isthmus {

inline constexpr std::array glszm_names = {
    "GrayLevelNonUniformity", "GrayLevelNonUniformityNormalized", "GrayLevelVariance", "HighGrayLevelZoneEmphasis",
    "LargeAreaEmphasis", "LargeAreaHighGrayLevelEmphasis", "LargeAreaLowGrayLevelEmphasis", "LowGrayLevelZoneEmphasis",
    "SizeZoneNonUniformity", "SizeZoneNonUniformityNormalized", "SmallAreaEmphasis", "SmallAreaHighGrayLevelEmphasis",
    "SmallAreaLowGrayLevelEmphasis", "ZoneEntropy", "ZonePercentage", "ZoneVariance"};

// Fills `zones` of the workspace, ascending by size, then level.
void count_zones(const Region& region, const Kernels& kernels, Workspace& work);

std::array<double, glszm_names.size()> glszm(const std::vector<ZoneCell>& zones, const Levels& levels);

}  // namespace isthmus
