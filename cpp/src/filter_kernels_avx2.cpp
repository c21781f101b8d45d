#define ISTHMUS_LANES 16
#define ISTHMUS_BYTES 32
#include "filter_kernels.inc"

namespace isthmus {

const FilterKernels* filter_kernels_avx2() { return &table; }

}  // namespace isthmus
