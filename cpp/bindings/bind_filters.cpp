// Response maps.
#include "arrays.hpp"
#include "rooms.hpp"

namespace isthmus::bindings {

void bind_filters(nb::module_&) {}

}  // namespace isthmus::bindings
