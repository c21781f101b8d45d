#include "isthmus/features/shape.hpp"

#include <cmath>

#include "isthmus/mesh.hpp"
#include "isthmus/principal_axes.hpp"

namespace isthmus {

std::array<double, shape_names.size()> shape(const Region& region, const Kernels& kernels) {
    const Mesh m = mesh(region, kernels);
    const std::array<double, 3> e = principal_moments(region);
    const double pi = 3.14159265358979323846;
    const double voxel_volume = static_cast<double>(region.size) * region.spacing[0] * region.spacing[1] * region.spacing[2];
    return {std::sqrt(e[1] / e[2]),
            std::sqrt(e[0] / e[2]),
            4 * std::sqrt(e[0]),
            4 * std::sqrt(e[2]),
            m.column,
            m.row,
            m.slice,
            m.whole,
            m.volume,
            4 * std::sqrt(e[1]),
            std::cbrt(36 * pi * m.volume * m.volume) / m.area,
            m.area,
            m.area / m.volume,
            voxel_volume};
}

}  // namespace isthmus
