// Neighbouring pairs and runs of equal grey levels along the 13 directions, counted in one pass.
#pragma once

#include <array>

#include "isthmus/kernels.hpp"
#include "isthmus/workspace.hpp"

namespace isthmus {

// The 13 directions (k, j, i); a voxel looks back along each. The first is the x direction.
inline constexpr int direction_steps[13][3] = {{0, 0, 1},  {0, 1, -1}, {0, 1, 0},  {0, 1, 1},  {1, -1, -1}, {1, -1, 0}, {1, -1, 1},
                                               {1, 0, -1}, {1, 0, 0},  {1, 0, 1},  {1, 1, -1}, {1, 1, 0},   {1, 1, 1}};

std::array<Index, 13> direction_offsets(const Region& region);

// Fills `directions` of the workspace from its level volume.
void count_pairs_and_runs(const Region& region, const Kernels& kernels, Workspace& work);

}  // namespace isthmus
