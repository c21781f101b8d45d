// The features of a zone matrix, by size (GLSZM) or by distance (GLDZM): the same formulas, in the order of their names.
#pragma once

#include <array>

#include "isthmus/size_matrix.hpp"

namespace isthmus {

inline std::array<double, 16> zone_values(const SizeSums& s, double voxels) {
    const double n = s.total;
    return {s.level_squares / n, s.level_squares / (n * n), s.level_variance, s.high / n, s.large / n, s.large_high / n,
            s.large_low / n, s.low / n, s.size_squares / n, s.size_squares / (n * n), s.small / n, s.small_high / n,
            s.small_low / n, s.entropy, n / voxels, s.size_variance};
}

}  // namespace isthmus
