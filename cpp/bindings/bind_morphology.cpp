// IBSI morphology and local intensity.
#include "arrays.hpp"
#include "rooms.hpp"

namespace isthmus::bindings {

void bind_morphology(nb::module_&) {}

}  // namespace isthmus::bindings
