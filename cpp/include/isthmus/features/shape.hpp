// Shape: mesh, diameters, principal axes. PyRadiomics' definitions (IBSI morphology, except the axis lengths' divisor).
#pragma once

#include <array>

#include "isthmus/kernels.hpp"
#include "isthmus/region.hpp"

namespace isthmus {

inline constexpr std::array shape_names = {
    "Elongation", "Flatness", "LeastAxisLength", "MajorAxisLength", "Maximum2DDiameterColumn", "Maximum2DDiameterRow",
    "Maximum2DDiameterSlice", "Maximum3DDiameter", "MeshVolume", "MinorAxisLength", "Sphericity", "SurfaceArea",
    "SurfaceVolumeRatio", "VoxelVolume"};

std::array<double, shape_names.size()> shape(const Region& region, const Kernels& kernels);

}  // namespace isthmus
