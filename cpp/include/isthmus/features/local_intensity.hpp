// Local intensity (IBSI 9ST6): means over spheres of 1 cm3.
#pragma once

#include <array>

#include "isthmus/view.hpp"

namespace isthmus {

inline constexpr std::array local_intensity_names = {"loc_peak_loc", "loc_peak_glob"};

// `image` and `mask` (of the same shape) are the whole image and the intensity mask in it: spheres reach beyond the region. A voxel belongs
// to a sphere when its centre lies within the radius; voxels outside the image, and NaN or infinite ones outside the region, are left out.
std::array<double, local_intensity_names.size()> local_intensity(const ImageView& image, const MaskView& mask, std::array<double, 3> spacing_mm);

}  // namespace isthmus
