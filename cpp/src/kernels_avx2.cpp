#define ISTHMUS_SET "avx2"
#include "kernels.inc"

namespace isthmus {

const Kernels* kernels_avx2() { return &table; }

}  // namespace isthmus
