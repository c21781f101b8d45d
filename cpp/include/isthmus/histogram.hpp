// How often each grey level 1 ... N_g occurs in a region.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "isthmus/view.hpp"

namespace isthmus {

struct Histogram {
    // `levels`: one per region voxel, each from 1 to `bins`.
    Histogram(std::span<const std::uint32_t> levels, std::uint32_t bins);

    // The level at a rank (0: the first) of the ordered list of levels.
    double at(Index rank) const;

    std::vector<std::uint64_t> count;  // count[g], g = 1 ... N_g; count[0] is 0
    std::vector<Index> below;          // below[g]: voxels with a level under g
    Index size = 0;                    // voxels
    std::uint32_t bins = 0;            // N_g
    std::uint32_t lowest = 0, highest = 0;  // levels that occur
};

}  // namespace isthmus
