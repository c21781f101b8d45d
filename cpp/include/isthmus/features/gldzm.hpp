// Grey level distance zone: the zones of the size zone matrix, by their distance to the edge of the region.
#pragma once

#include <array>

#include "isthmus/count_matrix.hpp"
#include "isthmus/sample.hpp"

namespace isthmus {

inline constexpr std::array gldzm_names = {
    "GrayLevelNonUniformity", "GrayLevelNonUniformityNormalized", "GrayLevelVariance", "HighGrayLevelZoneEmphasis",
    "LargeDistanceEmphasis", "LargeDistanceHighGrayLevelEmphasis", "LargeDistanceLowGrayLevelEmphasis", "LowGrayLevelZoneEmphasis",
    "ZoneDistanceNonUniformity", "ZoneDistanceNonUniformityNormalized", "SmallDistanceEmphasis",
    "SmallDistanceHighGrayLevelEmphasis", "SmallDistanceLowGrayLevelEmphasis", "ZoneDistanceEntropy", "ZonePercentage",
    "ZoneDistanceVariance"};

// Of one matrix: rows are levels, columns distances; `voxels` is how many voxels its zones hold.
std::array<double, gldzm_names.size()> gldzm(const CountMatrix& zones, double voxels, const Levels& levels);

}  // namespace isthmus
