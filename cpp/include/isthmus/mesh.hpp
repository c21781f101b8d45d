// The surface of a region: marching cubes through the midpoints between voxels of the region and voxels outside.
#pragma once

#include <vector>

#include "isthmus/kernels.hpp"
#include "isthmus/region.hpp"

namespace isthmus {

// A mesh vertex in halves of a voxel, counted from the centre of the padded box's first voxel.
struct LatticePoint {
    int k, j, i;
};

struct Mesh {
    double area = 0, volume = 0;                       // mm2, mm3
    double slice = 0, row = 0, column = 0, whole = 0;  // largest distances between vertices, mm: in a plane of constant k, i, j; anywhere
    std::vector<LatticePoint> corners;                 // corners of the hulls of all planes of constant k: they hold every extreme point
};

Mesh mesh(const Region& region, const Kernels& kernels);

}  // namespace isthmus
