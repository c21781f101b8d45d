#include "isthmus/distance_to_edge.hpp"

#include <algorithm>

namespace isthmus {

std::vector<std::uint32_t> distance_to_edge(const Region& region, int slice_axis) {
    const std::uint8_t* mask = region.mask_origin();
    std::vector<std::uint32_t> distance(static_cast<std::size_t>(region.volume), 0);
    std::vector<Index> steps;
    for (int axis = 0; axis < 3; ++axis)
        if (axis != slice_axis) steps.push_back(region.step[static_cast<std::size_t>(axis)]);
    // One sweep per way is exact for steps along the axes; the padding makes every voxel's neighbours exist.
    std::uint32_t* d = distance.data();
    for (Index v = 0; v < region.volume; ++v) {
        if (mask[v] == 0) continue;
        std::uint32_t least = ~0u;
        for (const Index step : steps) least = std::min(least, d[v - step]);
        d[v] = least + 1;
    }
    for (Index v = region.volume; v-- > 0;) {
        if (mask[v] == 0) continue;
        for (const Index step : steps) d[v] = std::min(d[v], d[v + step] + 1);
    }
    return distance;
}

}  // namespace isthmus
