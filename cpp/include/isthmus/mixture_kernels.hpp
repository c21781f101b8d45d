// The inner loop of EM, compiled once per instruction set; sums run in eight fixed lanes and exponential and logarithm are polynomials
// of our own, so the choice never changes a bit (the C library's differ between machines).
#pragma once

#include <cstddef>

namespace isthmus {

struct MixtureKernels {
    // One E step of `k` components over n values (n a multiple of 8; padding has weight 0). Component j has the log-density
    // constant[j] - precision[j] * (x - mean[j])^2. Writes, per component, the sums over i of r, r d and r d^2 (r: weight times
    // responsibility, d = x - mean), and gives the weighted log-likelihood. `work`: (k + 2) * n doubles.
    double (*expect)(const double* x, const double* weight, std::ptrdiff_t n, int k, const double* constant, const double* precision,
                     const double* mean, double* sums, double* work);
    void (*exponentials)(const double* x, std::ptrdiff_t n, double* out);  // of values from -700 to 0
    void (*logarithms)(const double* x, std::ptrdiff_t n, double* out);    // of positive normal values
};

const MixtureKernels& mixture_kernels_base();
const MixtureKernels& mixture_kernels_avx2();
const MixtureKernels& mixture_kernels_avx512();

// Of that name, "best" among those this machine runs.
const MixtureKernels& mixture_kernels(const char* name);

}  // namespace isthmus
