#include <cstring>

#include "isthmus/kernels.hpp"

namespace isthmus {

#if !defined(ISTHMUS_X86)
const Kernels* kernels_avx2() { return nullptr; }
const Kernels* kernels_avx512() { return nullptr; }
#endif

namespace {

bool runs_avx2() {
#if defined(ISTHMUS_X86)
    return __builtin_cpu_supports("avx2") != 0;
#else
    return false;
#endif
}

bool runs_avx512() {
#if defined(ISTHMUS_X86)
    return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
           __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0;
#else
    return false;
#endif
}

}  // namespace

const Kernels* kernels(const char* name) {
    const bool best = std::strcmp(name, "best") == 0;
    if ((best || std::strcmp(name, "avx512") == 0) && runs_avx512()) return kernels_avx512();
    if ((best || std::strcmp(name, "avx2") == 0) && runs_avx2()) return kernels_avx2();
    if (best || std::strcmp(name, "base") == 0) return &kernels_base();
    return nullptr;
}

}  // namespace isthmus
