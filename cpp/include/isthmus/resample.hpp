// Images and masks on another grid with parallel axes, voxel for voxel as ITK's ResampleImageFilter: the coordinate of every voxel is
// computed in its order of operations, a line along x between the coordinates of its ends.
#pragma once

#include <array>
#include <cstdint>

#include "isthmus/buffer.hpp"
#include "isthmus/filter_kernels.hpp"
#include "isthmus/view.hpp"

namespace isthmus {

// In ITK's order x, y, z: the new grid's indices to points, points to the old grid's continuous indices.
struct ResampleGrid {
    std::array<Index, 3> size;
    std::array<double, 3> new_origin, old_origin;
    std::array<double, 9> to_point, to_index;  // row by row

    std::array<double, 3> coordinate(const std::array<Index, 3>& voxel) const;
};

// Cubic B-spline of order 3 with mirrored ends; voxels outside the image are 0; integers are cut off towards zero and clamped.
// Every voxel has ITK's bits: sums are taken axis by axis, and where their rounding could decide the result, in ITK's order.
template <class T>
Buffer<T> resample_cubic(const ImageView& image, const ResampleGrid& grid, const FilterKernels& kernels);

// The value of the nearest voxel; halves go up; 0 outside.
Buffer<std::uint8_t> resample_nearest(const MaskView& mask, const ResampleGrid& grid);

}  // namespace isthmus
