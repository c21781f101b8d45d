#define ISTHMUS_LANES 32
#define ISTHMUS_BYTES 64
#include "filter_kernels.inc"

namespace isthmus {

const FilterKernels* filter_kernels_avx512() { return &table; }

}  // namespace isthmus
