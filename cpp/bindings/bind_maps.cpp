// Voxel maps and many regions at once.
#include "arrays.hpp"
#include "rooms.hpp"

namespace isthmus::bindings {

void bind_maps(nb::module_&) {}

}  // namespace isthmus::bindings
