// Connected parts of a mask: voxels that touch by face, edge or corner belong together.
#pragma once

#include <vector>

#include "isthmus/view.hpp"

namespace isthmus {

// Voxels of each part, largest first.
std::vector<Index> part_sizes(const MaskView& mask);

}  // namespace isthmus
