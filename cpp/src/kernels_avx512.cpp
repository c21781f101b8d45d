#define ISTHMUS_SET "avx512"
#include "kernels.inc"

namespace isthmus {

const Kernels* kernels_avx512() { return &table; }

}  // namespace isthmus
