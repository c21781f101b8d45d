#include "mixture_kernels.inc"

namespace isthmus {

const MixtureKernels& mixture_kernels_base() { return table; }

}  // namespace isthmus
