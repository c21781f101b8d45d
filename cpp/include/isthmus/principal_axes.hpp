// Principal axes of a region's voxel centres.
#pragma once

#include <array>

#include "isthmus/region.hpp"

namespace isthmus {

// Eigenvalues of a symmetric 3 x 3 matrix by Jacobi rotations, ascending. The matrix is overwritten.
std::array<double, 3> eigenvalues(double (&a)[3][3]);

// Eigenvalues of the covariance of the voxel centres (mm2, divided by N), ascending; from integer sums over runs.
std::array<double, 3> principal_moments(const Region& region);

}  // namespace isthmus
