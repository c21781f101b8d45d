// The smallest solids around a convex hull: oriented box, ellipsoid.
#pragma once

#include <array>

#include "isthmus/convex_hull.hpp"

namespace isthmus {

// Oriented minimum bounding box; a lattice step measures `step` mm. Candidates are all boxes with one side flush with a facet of the hull
// and, across it, the smallest rectangle (rotating calipers); the best is improved by turning it about its own axes in turn (Chan and Tan
// 2001) until its volume no longer falls.
Solid oriented_box(const ConvexHull& hull, const std::array<double, 3>& step);

// Semi-axes, ascending, of the ellipsoid of smallest volume around the hull (Khachiyan's algorithm with the away steps of Todd and
// Yildirim 2007). It holds every vertex; its volume exceeds the minimum by less than one part in 1e6.
std::array<double, 3> enclosing_ellipsoid(const ConvexHull& hull, const std::array<double, 3>& step);

// Volume, and surface area by IBSI's series over Legendre polynomials up to order 20. The series is the definition: it is not the
// geometric area (which has sqrt(1 - c2/a2) and sqrt(1 - c2/b2) for alpha and beta), but the consensus values are its values.
Solid ellipsoid(const std::array<double, 3>& semi_axes);

}  // namespace isthmus
