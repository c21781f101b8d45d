#define ISTHMUS_LANES 16
#define ISTHMUS_BYTES 16
#include "filter_kernels.inc"

namespace isthmus {

const FilterKernels& filter_kernels_base() { return table; }

}  // namespace isthmus
