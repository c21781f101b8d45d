#include "isthmus/features/shape2d.hpp"

#include <cmath>
#include <stdexcept>
#include <string>

#include "isthmus/mesh.hpp"
#include "isthmus/principal_axes.hpp"

namespace isthmus {

namespace {

struct Outline {
    double length, area;
};

// Marching squares: the outline joins the midpoints between pixels of the region and pixels outside. Where two pixels touch at a
// corner only, it keeps them apart. Squares of one kind are equal, so counting them is enough.
Outline outline(const Region& region) {
    std::int64_t corners = 0, along_j = 0, along_i = 0, eighths = 0;
    const std::uint8_t* slice = region.mask_origin() + region.step[0];
    for (Index j = 0; j + 1 < region.padded[1]; ++j)
        for (Index i = 0; i + 1 < region.padded[2]; ++i) {
            const std::uint8_t* p = slice + j * region.step[1] + i;
            const unsigned a = p[0], b = p[1], c = p[region.step[1]], d = p[region.step[1] + 1];
            switch (a + b + c + d) {
                case 1: ++corners; eighths += 1; break;
                case 2:
                    if (a == d) {
                        corners += 2;
                        eighths += 2;
                    } else {
                        ++(a == b ? along_i : along_j);
                        eighths += 4;
                    }
                    break;
                case 3: ++corners; eighths += 7; break;
                case 4: eighths += 8; break;
                default: break;
            }
        }
    const double sj = region.spacing[1], si = region.spacing[2];
    return {static_cast<double>(corners) * std::sqrt(sj * sj + si * si) / 2 + static_cast<double>(along_j) * sj + static_cast<double>(along_i) * si,
            static_cast<double>(eighths) / 8 * sj * si};
}

}  // namespace

std::array<double, shape2d_names.size()> shape2d(const Region& region, const Kernels& kernels) {
    if (region.shape[0] != 1)
        throw std::invalid_argument("a region in one slice is expected, this one spans " + std::to_string(region.shape[0]) + " along the first axis");
    const Outline o = outline(region);
    const std::array<double, 3> e = principal_moments(region);
    const double pi = 3.14159265358979323846;
    // the vertices of the surface in the plane of the slice are those of the outline
    return {std::sqrt(e[1] / e[2]),
            4 * std::sqrt(e[2]),
            mesh(region, kernels).slice,
            o.area,
            4 * std::sqrt(e[1]),
            o.length,
            o.length / o.area,
            static_cast<double>(region.size) * region.spacing[1] * region.spacing[2],
            2 * std::sqrt(pi * o.area) / o.length};
}

}  // namespace isthmus
