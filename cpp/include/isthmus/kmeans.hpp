// k-means of points in any dimension.
#pragma once

#include <cstdint>
#include <vector>

#include "isthmus/view.hpp"

namespace isthmus {

struct KMeans {
    std::vector<std::int32_t> cluster;  // of every point, 0 ... k - 1, numbered in the order of their first points
    std::vector<double> centres;        // k x dimensions
    double inertia = 0;                 // sum of squared distances to the centres
};

// The best of several k-means++ starts (Arthur and Vassilvitskii 2007), each followed by Lloyd's algorithm. `points` is n x dimensions,
// C order; 1 <= k <= n. A cluster that loses all points is moved to the point farthest from its centre. Sums run in the order of the
// points, so the same input and seed give the same bits everywhere.
KMeans kmeans(const double* points, Index n, Index dimensions, Index k, int starts, int iterations, std::uint64_t seed);

}  // namespace isthmus
