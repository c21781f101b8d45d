#include "isthmus/level_volume.hpp"

namespace isthmus {

LevelVolume::LevelVolume(const Region& region, const Workspace& work, Index border, int slice_axis) {
    const std::array<Index, 3> size{region.shape[0] + 2 * border, region.shape[1] + 2 * border, region.shape[2] + 2 * border};
    step = {size[1] * size[2], size[2], 1};
    number.assign(static_cast<std::size_t>(size[0] * step[0]), 0);
    const std::size_t axis = static_cast<std::size_t>(slice_axis);
    std::vector<Index> begin(static_cast<std::size_t>(region.shape[axis]) + 1, 0);
    auto for_voxels = [&](const auto& function) {
        for (const Run& run : region.runs) {
            const std::array<Index, 3> first = region.coordinates(run.offset);
            const Index at = (first[0] + border) * step[0] + (first[1] + border) * step[1] + first[2] + border;
            for (Index i = 0; i < run.length; ++i)
                function(at + i, static_cast<std::size_t>(axis == 2 ? first[2] + i : first[axis]), static_cast<std::size_t>(run.start + i));
        }
    };
    for_voxels([&](Index at, std::size_t slice, std::size_t voxel) {
        number[static_cast<std::size_t>(at)] = work.level_of[voxel];
        ++begin[slice + 1];
    });
    for (std::size_t s = 1; s < begin.size(); ++s) {
        begin[s] += begin[s - 1];
        if (begin[s] > begin[s - 1]) slices.push_back({static_cast<Index>(s - 1), begin[s - 1], begin[s]});
    }
    voxels.resize(static_cast<std::size_t>(region.size));
    for_voxels([&](Index at, std::size_t slice, std::size_t) { voxels[static_cast<std::size_t>(begin[slice]++)] = at; });
}

}  // namespace isthmus
