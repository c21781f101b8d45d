// Texture matrices with every aggregation, distance and weighting.
#include "arrays.hpp"
#include "rooms.hpp"

namespace isthmus::bindings {

void bind_texture(nb::module_&) {}

}  // namespace isthmus::bindings
