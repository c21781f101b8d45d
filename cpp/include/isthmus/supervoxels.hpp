// Supervoxels: simple linear iterative clustering (Achanta et al. 2012) of the voxels inside a mask, in millimetres.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "isthmus/view.hpp"

namespace isthmus {

struct SupervoxelSettings {
    double volume = 125;       // mm3 that a supervoxel has on average
    double compactness = 1;    // intensity units that weigh as much as the side of a supervoxel
    int iterations = 10;
};

// Labels 1 ... n of the voxels inside the mask, 0 outside; every label is one 6-connected piece. Nothing outside the mask is read.
// `values` and `mask` are C-contiguous of the same shape (k, j, i).
std::vector<std::int32_t> supervoxels(const double* values, const std::uint8_t* mask, std::array<Index, 3> shape,
                                      std::array<double, 3> spacing, const SupervoxelSettings& settings);

}  // namespace isthmus
