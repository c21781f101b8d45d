// Maximal correlation coefficient of a symmetric co-occurrence matrix.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "isthmus/kernels.hpp"
#include "isthmus/workspace.hpp"

namespace isthmus {

// Square root of the second largest eigenvalue of Q(i, j) = sum_k p(i,k) p(j,k) / (p_i p_k + eps). `guess` holds one number per
// grey level: the eigenvector of the previous direction to start from, replaced by this direction's.
double maximal_correlation(const std::vector<PairCell>& pairs, const std::vector<double>& marginal, double total,
                           const std::vector<double>& value, std::vector<double>& guess, const Kernels& kernels);

struct alignas(64) LaneOfEight {  // one number of each of eight matrices
    double lane[8];
};

struct CorrelationScratch {
    std::vector<double> marginal, guess;
    std::vector<LaneOfEight> matrices, lane_marginal, tridiagonal;
    std::vector<std::uint32_t> number;
    std::vector<std::uint64_t> neighbours;
};

// The coefficient of every direction that holds a pair. Few levels: eight directions at a time, by Kernels::second_eigenvalues.
std::array<double, 13> maximal_correlations(const DirectionCounts* directions, const Levels& levels, const Kernels& kernels,
                                            CorrelationScratch& scratch);

}  // namespace isthmus
