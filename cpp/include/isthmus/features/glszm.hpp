// Grey level size zone: zones are connected voxels of one grey level, 26-connected in space or 8-connected within a slice.
#pragma once

#include <array>
#include <span>

#include "isthmus/count_matrix.hpp"
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

// Of one matrix: rows are levels, columns zone sizes.
std::array<double, glszm_names.size()> glszm(const CountMatrix& zones, const Levels& levels);

struct Zone {
    std::uint32_t level;     // number
    Index slice;             // along the slice axis; 0 in space
    std::uint32_t size;      // voxels
    std::uint32_t distance;  // the least of its voxels
};

// Every zone by itself: within the slices of an axis (0 to 2), or in space (-1). `distance` is a padded volume, or empty.
std::vector<Zone> find_zones(const Region& region, const Kernels& kernels, Workspace& work, int slice_axis,
                             std::span<const std::uint32_t> distance);

}  // namespace isthmus
