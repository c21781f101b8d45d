// The loops of the filters and of resampling that are compiled once per instruction set. Every output is one expression in one
// fixed order, computed for several outputs at a time: the choice never changes a bit.
#pragma once

#include "isthmus/view.hpp"

namespace isthmus {

// y[i] = n . x[i..i-3] - d . y[i-1..i-4] forwards, plus m . x[i+1..i+4] - d . y[i+1..i+4] backwards; bn and bm stand in for d
// where y lies beyond an end, where x repeats its border value.
struct Recursion {
    double n[4], m[4], d[4], bn[4], bm[4];
};

// Cubic B-spline coefficients of a line of n samples, and sums of `taps` of them: outputs of `taps` places and weights each.
struct SplineSums {
    Index outputs, taps;
    const Index* places;
    const double* weights;
};

struct FilterKernels {
    Index lanes;  // lines that the recursions below take together
    // One recursion on the first `wanted` of `lanes` neighbouring columns of n samples, all of which may be read and written; samples
    // [first, last) of the result. scratch: recursion_scratch().
    void (*columns32)(const float* in, Index step, Index wanted, Index n, Index first, Index last, const Recursion& r, float* out,
                      Index out_step, double* scratch);
    void (*columns64)(const double* in, Index step, Index wanted, Index n, Index first, Index last, const Recursion& r, float* out,
                      Index out_step, double* scratch);
    // The same on rows.
    void (*rows32)(const float* in, Index step, Index wanted, Index n, Index first, Index last, const Recursion& r, float* out,
                   Index out_step, double* scratch);
    void (*rows64)(const double* in, Index step, Index wanted, Index n, Index first, Index last, const Recursion& r, float* out,
                   Index out_step, double* scratch);
    // Spline coefficients of `lanes` columns or rows, and the sums of each. scratch: n * lanes doubles.
    void (*spline_columns)(const double* in, Index step, Index n, const SplineSums& sums, double* out, Index out_step, double* scratch);
    void (*spline_rows32)(const float* in, Index step, Index n, const SplineSums& sums, double* out, Index out_step, double* scratch);
    void (*spline_rows64)(const double* in, Index step, Index n, const SplineSums& sums, double* out, Index out_step, double* scratch);
    // A row cast, integers cut off towards zero and clamped; whether an error of this size would change any of it.
    bool (*cast16)(const double* row, double error, Index n, std::int16_t* out);
    bool (*cast32)(const double* row, double error, Index n, std::int32_t* out);
    bool (*cast_single)(const double* row, double error, Index n, float* out);
    bool (*cast_double)(const double* row, double error, Index n, double* out);
    // out = sum + value * factor, in double, stored as float
    void (*add_scaled)(const float* value, double factor, const float* sum, float* out, Index n);
    // out[i] = ((0 + taps[0] * rows[0][i]) + taps[1] * rows[1][i]) + ...; the second pair of taps and output may be absent
    void (*weigh32)(const float* const* rows, Index count, const float* taps, float* out, const float* taps2, float* out2, Index n);
    void (*weigh64)(const double* const* rows, Index count, const double* taps, double* out, const double* taps2, double* out2, Index n);
};

inline Index recursion_scratch(Index lanes, Index n) { return (2 * n + 4) * lanes; }  // doubles

const FilterKernels& filter_kernels_base();
const FilterKernels* filter_kernels_avx2();    // nullptr where not built
const FilterKernels* filter_kernels_avx512();

// As kernels(name): the best set of this machine or the one of that name; nullptr when it is not available.
const FilterKernels* filter_kernels(const char* name);

}  // namespace isthmus
