// Basins of a relief in the plane: a watershed that joins what only a shallow pass divides.
#pragma once

#include <cstdint>
#include <vector>

#include "isthmus/view.hpp"

namespace isthmus {

struct Depth {
    double absolute = 0;  // in the relief's unit
    double relative = 0;  // share of the lower summit's height
};

// Labels 1 ... n of the basins of `relief` (shape[0] x shape[1], C order) where `mask` is not 0; 0 elsewhere. Pixels are taken from the highest to the
// lowest, equal ones in their order in memory; each joins the basin of its highest neighbour (of eight) taken before it, or starts one. Where
// two basins meet, the one with the lower summit is joined to the other if that summit rises less than `absolute + relative * summit`
// above the meeting point (its prominence; h-maxima are the case relative = 0). Labels are numbered in the order of their first pixels.
std::vector<std::int32_t> basins(const float* relief, const std::uint8_t* mask, const std::array<Index, 2>& shape, const Depth& depth);

// Pixels of one basin after the other, each in the order of memory; `starts` has one entry more than there are basins.
struct BasinPixels {
    std::vector<std::int32_t> pixels;
    std::vector<std::size_t> starts;
};

// The same basins for several depths at once.
std::vector<BasinPixels> basin_pixels(const float* relief, const std::uint8_t* mask, const std::array<Index, 2>& shape, const std::vector<Depth>& depths);

}  // namespace isthmus
