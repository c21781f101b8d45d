// The grey levels of a region for the plain kernels: any distance, any number of levels, voxels grouped by slice.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "isthmus/workspace.hpp"

namespace isthmus {

struct Slice {
    Index index;       // along the slice axis
    Index begin, end;  // its voxels in LevelVolume::voxels
};

struct LevelVolume {
    // From the level numbers of the workspace; `border` voxels of background on every side.
    LevelVolume(const Region& region, const Workspace& work, Index border, int slice_axis);

    Index offset(const std::array<int, 3>& step_) const { return step_[0] * step[0] + step_[1] * step[1] + step_[2]; }

    std::array<Index, 3> step;
    std::vector<std::uint32_t> number;  // 0: outside
    std::vector<Index> voxels;          // positions in `number`, slice by slice
    std::vector<Slice> slices;          // those that hold a voxel
};

}  // namespace isthmus
