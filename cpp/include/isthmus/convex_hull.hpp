// Convex hull of lattice points, in exact integers: coplanar and collinear points need no tolerance.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "isthmus/mesh.hpp"

namespace isthmus {

struct Triangle {
    std::array<int, 3> corner;     // positions in `vertices`, counter-clockwise seen from outside
    std::array<int, 3> neighbour;  // neighbour[n]: the triangle across the edge from corner[n] to the next corner
    std::array<std::int64_t, 3> normal;  // outward, (k, j, i); its length is twice the area, in lattice units
};

struct ConvexHull {
    std::vector<LatticePoint> vertices;
    std::vector<Triangle> triangles;
    std::int64_t volume6 = 0;  // six times the volume, in lattice units
};

// Quickhull (Barber, Dobkin and Huhdanpaa 1996). Points may repeat; they must not all lie in one plane, which those of a mesh never do.
ConvexHull convex_hull(std::span<const LatticePoint> points);

struct Solid {
    double volume, area;  // mm3, mm2
};

// Volume and area of the hull when a lattice step measures `step` mm.
Solid measure(const ConvexHull& hull, const std::array<double, 3>& step);

}  // namespace isthmus
