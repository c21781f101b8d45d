// A region of interest, prepared once and shared by every image measured in it.
//
// The box is padded by one voxel on every side, so a neighbour outside reads "not in the region" without any index test;
// loops walk x-runs, that is, only voxels of the region, in memory order.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "isthmus/view.hpp"

namespace isthmus {

inline constexpr Index spare = 256;  // bytes at both ends of a padded volume: vector loops may run over the end of a row

struct Run {
    Index offset;  // of the first voxel in the padded volume
    Index length;
    Index start;   // position of the first voxel in the compact list of region voxels
};

struct BoundingBox {
    std::array<Index, 3> low{0, 0, 0};
    std::array<Index, 3> high{0, 0, 0};  // one past the last voxel
    bool found = false;                  // false: the mask is empty
};

BoundingBox bounding_box(const MaskView& mask);

struct Region {
    Region(const MaskView& mask, std::array<double, 3> spacing_mm);

    std::array<Index, 3> shape;          // of the box
    std::array<Index, 3> padded;         // shape + 2
    std::array<Index, 3> step;           // offset of one voxel along (k, j, i) in the padded volume
    std::array<double, 3> spacing;       // mm
    Index volume = 0;                    // voxels of the padded box
    Index size = 0;                      // voxels of the region
    Index longest_side = 0;
    std::vector<Run> runs;
    std::vector<Index> plane_begin;      // first run of every plane of the box; one more at the end
    std::vector<std::uint8_t> mask;      // padded, 0 or 1, with spare bytes at both ends
    std::vector<std::uint8_t> neighbours;  // per region voxel: how many of its 26 neighbours belong to the region; spare bytes at the end

    const std::uint8_t* mask_origin() const { return mask.data() + spare; }

    // (k, j, i) in the box of a voxel of the padded volume
    std::array<Index, 3> coordinates(Index offset) const {
        const Index row = offset / step[1], k = row / padded[1];  // two divisions: they are slow
        return {k - 1, row - k * padded[1] - 1, offset - row * step[1] - 1};
    }
};

}  // namespace isthmus
