// All families of one region and image, in the order of the families.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "isthmus/kernels.hpp"
#include "isthmus/region.hpp"
#include "isthmus/sample.hpp"
#include "isthmus/workspace.hpp"

namespace isthmus {

struct Family {
    const char* name;
    std::span<const char* const> features;
};

std::span<const Family> families();

// Values of the families whose bit is set in `wanted` (bit 0: the first of `families()`), in their order.
std::vector<double> features(const Region& region, const Sample& sample, std::span<const double> edges, unsigned wanted,
                             const Kernels& kernels, Workspace& work);

// The counts themselves, for tests and for settings off the fast path.
struct Matrices {
    std::vector<double> levels;             // grey levels that occur
    std::vector<std::array<double, 4>> glcm;   // direction, i, j, count (symmetric matrix: both orders)
    std::vector<std::array<double, 4>> glrlm;  // direction, level, length, count
    std::vector<std::array<double, 4>> glszm;  // 0, level, size, count
    std::vector<std::array<double, 4>> gldm;   // 0, level, dependence, count
    std::vector<std::array<double, 4>> ngtdm;  // 0, level, n_i, s_i
};

Matrices matrices(const Region& region, const Sample& sample, std::span<const double> edges, const Kernels& kernels, Workspace& work);

}  // namespace isthmus
