// Shape of a region in one slice, as PyRadiomics measures it.
#pragma once

#include <array>

#include "isthmus/kernels.hpp"
#include "isthmus/region.hpp"

namespace isthmus {

inline constexpr std::array shape2d_names = {"Elongation", "MajorAxisLength", "MaximumDiameter", "MeshSurface", "MinorAxisLength",
                                             "Perimeter", "PerimeterSurfaceRatio", "PixelSurface", "Sphericity"};

// The slice is the first axis, along which the region's box must be one voxel thick.
std::array<double, shape2d_names.size()> shape2d(const Region& region, const Kernels& kernels);

}  // namespace isthmus
