// Grey levels of a region: numpy.digitize with edges that the caller gives.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "isthmus/sample.hpp"
#include "isthmus/workspace.hpp"

namespace isthmus {

inline constexpr std::uint32_t highest_level = 1u << 22;  // of co-occurrence: histograms of i + j are as long as that

// numpy.digitize(intensity, edges) of every voxel of the region, in memory order: 0 below the first edge.
void digitise(const Sample& sample, std::span<const double> edges, std::vector<std::uint32_t>& level);

// Fills the level volume (`narrow`, `wide` or `huge`) and `levels` of the workspace.
void discretise(const Region& region, const Sample& sample, std::span<const double> edges, Workspace& work);

// The same from grey levels made elsewhere: one per voxel in memory order, each at least 1.
void place_levels(const Region& region, std::span<const std::uint32_t> levels, Workspace& work);

}  // namespace isthmus
