#include "isthmus/features/gldzm.hpp"

#include "isthmus/zone_values.hpp"

namespace isthmus {

std::array<double, gldzm_names.size()> gldzm(const CountMatrix& zones, double voxels, const Levels& levels) {
    return zone_values(size_sums(zones, levels.value), voxels);
}

}  // namespace isthmus
