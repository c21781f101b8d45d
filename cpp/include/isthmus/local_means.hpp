// What is dark and what is pale near every pixel.
#pragma once

#include <vector>

#include "isthmus/plane.hpp"

namespace isthmus {

struct TwoMeans {
    double threshold, dark, pale;  // of the whole slide: where the turns begin, and what stands in where one of the two is far away
};

// In turns: the mean of the pixels above the threshold and of the others, each over a neighbourhood (three boxes of `width` pixels, odd, one after the
// other: nearly a Gaussian), then the threshold half-way between them. Returns (value - pale mean) / (dark mean - pale mean) of every
// pixel: 0 the surroundings, 1 a nucleus. Sums are of integers: the same place gives the same bits in a picture cut elsewhere.
std::vector<float> between_means(const float* values, const Shape2& shape, const TwoMeans& slide, Index width, Index turns);

}  // namespace isthmus
