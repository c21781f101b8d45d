// Interpolation on another grid.
#include "arrays.hpp"
#include "rooms.hpp"

namespace isthmus::bindings {

void bind_resample(nb::module_&) {}

}  // namespace isthmus::bindings
