// Feature maps: every feature in a sliding kernel, around every voxel of a region.
#pragma once

#include <span>

#include "isthmus/kernels.hpp"
#include "isthmus/window.hpp"

namespace isthmus {

// `targets` are the voxels that get a value, `kernel_mask` those a kernel may hold; both, and the image, have one shape. Map m is
// written at out + m * (voxels of the box), C order, at the targets only; `places[m]` is its feature among all of a window.
void voxel_maps(const MaskView& targets, const MaskView& kernel_mask, const ImageView& image, std::array<double, 3> spacing,
                std::span<const double> edges, const Kernel& kernel, WindowRules rules, std::span<const Index> places, double* out,
                unsigned workers, const Kernels& kernels);

}  // namespace isthmus
