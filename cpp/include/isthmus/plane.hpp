// Masks and labels in the plane: distances, holes, openings, labels that grow and whose outlines are smoothed. Pictures are in C order.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "isthmus/view.hpp"

namespace isthmus {

using Shape2 = std::array<Index, 2>;
using Bytes = std::vector<std::uint8_t>;

// Squared distance, in pixels, of every pixel of `mask` to the nearest one outside it; what lies outside the picture counts for nothing.
// Felzenszwalb and Huttenlocher's lower envelopes, one run of a row at a time. Without any pixel outside: the largest int32.
std::vector<std::int32_t> squared_distance(const Bytes& mask, const Shape2& shape);

// Its square root.
std::vector<float> distance_to_outside(const Bytes& mask, const Shape2& shape);

// Fills the holes (joined by their edges) of at most `most` pixels, also those that the picture's border cuts.
void fill_holes(Bytes& mask, const Shape2& shape, double most);

// The union of the discs x^2 + y^2 <= radius^2 + 1/2 that fit into the mask, whose squared distances are given.
Bytes opened(const std::vector<std::int32_t>& distance, const Shape2& shape, Index radius);

// Labels take the pixels of `room` they reach within `steps` steps to one of eight neighbours, one step of all labels at a time.
void grow(std::vector<std::int32_t>& labels, const Bytes& room, const Shape2& shape, Index steps);

// Each pixel gets the label that covers more than half of the disc around it (what the picture's border cuts off counts as 0), or 0.
std::vector<std::int32_t> majority(const std::vector<std::int32_t>& labels, const Shape2& shape, Index radius);

}  // namespace isthmus
