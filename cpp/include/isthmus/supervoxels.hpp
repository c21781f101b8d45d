// Supervoxels: the voxels inside a mask cut into connected pieces of similar intensity, in millimetres, in one of three ways.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "isthmus/view.hpp"

namespace isthmus {

enum class SupervoxelMethod {
    slic,     // simple linear iterative clustering (Achanta et al. 2012): every voxel to the nearest centre within two sides
    kmeans,   // the same without a limit: k-means of position and intensity
    growing,  // regions grown from the seeds, the most similar neighbour first (Achanta and Suesstrunk 2017)
};

struct SupervoxelSettings {
    double volume = 125;       // mm3 that a supervoxel has on average
    double compactness = 1;    // intensity units that weigh as much as the side of a supervoxel
    int iterations = 10;
    SupervoxelMethod method = SupervoxelMethod::slic;
    Index least = 1;           // voxels; a smaller piece joins the neighbour with which it shares most faces
};

// Labels 1 ... n of the voxels inside the mask, 0 outside; every label is one 6-connected piece. Nothing outside the mask is read.
// `values` and `mask` are C-contiguous of the same shape (k, j, i).
std::vector<std::int32_t> supervoxels(const double* values, const std::uint8_t* mask, std::array<Index, 3> shape,
                                      std::array<double, 3> spacing, const SupervoxelSettings& settings);

// Two labels above 0 that touch by a face, edge or corner, the smaller first, and how many faces they share; ascending. C-contiguous map.
std::vector<std::array<std::int64_t, 3>> contacts(const std::int32_t* labels, std::array<Index, 3> shape);

}  // namespace isthmus
