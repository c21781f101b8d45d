// Laplacian of Gaussian by recursive filters of fourth order, as ITK's LaplacianRecursiveGaussianImageFilter computes it, scaled by
// sigma squared: every voxel has the same bits.
// Deriche 1993, Recursively implementing the Gaussian and its derivatives; coefficients of Farnebaeck and Westin 2006,
// Improving Deriche-style recursive Gaussian filters, J. Math. Imaging Vis. 26.
#pragma once

#include <array>

#include "isthmus/buffer.hpp"
#include "isthmus/filter_kernels.hpp"
#include "isthmus/view.hpp"

namespace isthmus {

Recursion gaussian_recursion(double sigma, double spacing);
Recursion second_derivative_recursion(double sigma, double spacing);  // times sigma squared

// The map inside the box [low, high). Only `margin` voxels around it are read; a margin as large as the image gives ITK's bits.
// Every axis of the image has at least 4 voxels.
// `workspace` is scratch memory, to be used again for the next sigma.
struct LogWorkspace {
    Buffer<float> volume, finished;
    Buffer<double> recursion;
};

Buffer<float> recursive_log(const ImageView& image, const std::array<double, 3>& spacing, double sigma,
                            const std::array<Index, 3>& low, const std::array<Index, 3>& high,
                            const std::array<Index, 3>& margin, const FilterKernels& kernels, LogWorkspace& workspace);

}  // namespace isthmus
