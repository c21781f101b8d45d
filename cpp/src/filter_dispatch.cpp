#include <cstring>

#include "isthmus/filter_kernels.hpp"
#include "isthmus/kernels.hpp"

namespace isthmus {

#if !defined(ISTHMUS_X86)
const FilterKernels* filter_kernels_avx2() { return nullptr; }
const FilterKernels* filter_kernels_avx512() { return nullptr; }
#endif

const FilterKernels* filter_kernels(const char* name) {
    const Kernels* set = kernels(name);
    if (set == nullptr) return nullptr;
    if (std::strcmp(set->name, "avx512") == 0) return filter_kernels_avx512();
    if (std::strcmp(set->name, "avx2") == 0) return filter_kernels_avx2();
    return &filter_kernels_base();
}

}  // namespace isthmus
