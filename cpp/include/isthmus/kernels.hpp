// The loops that are compiled once per instruction set and chosen at run time. Integer results only, or sums in eight fixed
// lanes: the choice never changes a bit. The files that implement them share nothing through headers but plain structs.
#pragma once

#include <cstdint>

#include "isthmus/region.hpp"

namespace isthmus {

struct Moments {
    double second, third, fourth, absolute, energy;
};

struct Kernels {
    const char* name;
    // For up to five directions and the runs of one plane: run positions `r` (not for the x direction, back = 1), and per voxel
    // the cell to increment, packed run by run.
    void (*pairs8)(const std::uint8_t* level, const Run* begin, const Run* end, int directions, const Index* back,
                   std::uint8_t* const* r, std::uint16_t* const* out, std::uint64_t triangle, std::uint64_t stride);
    void (*pairs16)(const std::uint16_t* level, const Run* begin, const Run* end, int directions, const Index* back,
                    std::uint16_t* const* r, std::uint32_t* const* out, std::uint64_t triangle, std::uint64_t stride);
    void (*pairs32)(const std::uint32_t* level, const Run* begin, const Run* end, int directions, const Index* back,
                    std::uint32_t* const* r, std::uint64_t* const* out, std::uint64_t triangle, std::uint64_t stride);
    // Which of the 13 preceding neighbours have the same level: eight bits in `low`, five in `high`.
    void (*codes8)(const std::uint8_t* level, const Run* begin, const Run* end, const Index* back, std::uint8_t* low,
                   std::uint8_t* high);
    void (*codes16)(const std::uint16_t* level, const Run* begin, const Run* end, const Index* back, std::uint8_t* low,
                    std::uint8_t* high);
    void (*codes32)(const std::uint32_t* level, const Run* begin, const Run* end, const Index* back, std::uint8_t* low,
                    std::uint8_t* high);
    // Per region voxel: its cell in a table of level x 27 by how many of the 26 neighbours have its level, its cell by how many
    // belong to the region, and |number of neighbours * level - their sum|.
    void (*neighbourhoods8)(const std::uint8_t* level, const std::uint8_t* neighbours, const Run* begin, const Run* end, Index row,
                            Index plane, std::uint16_t* dependence, std::uint16_t* tone, std::uint16_t* difference);
    // How many of the 26 neighbours have the same level.
    void (*dependences16)(const std::uint16_t* level, const Run* begin, const Run* end, Index row, Index plane,
                          std::uint8_t* dependence);
    void (*dependences32)(const std::uint32_t* level, const Run* begin, const Run* end, Index row, Index plane,
                          std::uint8_t* dependence);
    // Marching-cubes index of the cubes of one row (corner 0 at mask[0]).
    void (*cubes)(const std::uint8_t* mask, Index n, Index row, Index plane, std::uint8_t* out);
    double (*sum32)(const float* x, Index n);
    double (*sum64)(const double* x, Index n);
    Moments (*moments32)(const float* x, Index n, double mean);
    Moments (*moments64)(const double* x, Index n, double mean);
    // Sum and number of the values inside [low, high]; with centre, the sum of |x - centre|.
    void (*robust32)(const float* x, Index n, double low, double high, double centre, bool deviation, double* sum, double* count);
    void (*robust64)(const double* x, Index n, double low, double high, double centre, bool deviation, double* sum, double* count);
    // y += column * x, the step of a matrix-vector product
    void (*multiply)(const double* matrix, Index stride, Index n, const double* x, double* y);
    // Eight small co-occurrence matrices side by side: the magnitude of the second largest eigenvalue (eigenvalues.inc).
    void (*second_eigenvalues)(double* cells, Index n, const double* marginal, const double* total, double* work, double* out);
};

const Kernels& kernels_base();
const Kernels* kernels_avx2();    // nullptr where not built
const Kernels* kernels_avx512();

// The best set this machine runs, or the one of that name ("base", "avx2", "avx512"); nullptr when it is not available.
const Kernels* kernels(const char* name);

}  // namespace isthmus
