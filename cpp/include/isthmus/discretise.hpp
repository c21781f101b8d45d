// Grey levels of a region: numpy.digitize with edges that the caller gives.
#pragma once

#include <span>

#include "isthmus/sample.hpp"
#include "isthmus/workspace.hpp"

namespace isthmus {

// Fills the level volume (`narrow` or `wide`) and `levels` of the workspace.
void discretise(const Region& region, const Sample& sample, std::span<const double> edges, Workspace& work);

}  // namespace isthmus
