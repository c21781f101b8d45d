#define ISTHMUS_SET "base"
#include "kernels.inc"

namespace isthmus {

const Kernels& kernels_base() { return table; }

}  // namespace isthmus
