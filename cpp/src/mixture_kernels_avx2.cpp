#include "mixture_kernels.inc"

namespace isthmus {

const MixtureKernels& mixture_kernels_avx2() { return table; }

}  // namespace isthmus
