// How far every voxel of a mask lies from its edge.
#pragma once

#include <cstdint>
#include <vector>

#include "isthmus/region.hpp"

namespace isthmus {

// Steps along the axes (Manhattan) to the nearest voxel outside, so 1 at the edge and 0 outside; padded as the region. With
// `slice_axis` 0 to 2 only steps within a slice count, with -1 all three axes (IBSI, grey level distance zone).
std::vector<std::uint32_t> distance_to_edge(const Region& region, int slice_axis);

}  // namespace isthmus
