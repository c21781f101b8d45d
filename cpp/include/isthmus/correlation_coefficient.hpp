// Maximal correlation coefficient of a co-occurrence matrix.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "isthmus/count_matrix.hpp"
#include "isthmus/kernels.hpp"
#include "isthmus/workspace.hpp"

namespace isthmus {

// Square root of the second largest eigenvalue of Q(i, j) = sum_k p(i,k) p(j,k) / (p_i p_k + eps). `guess` holds one number per
// grey level: the eigenvector of the previous direction to start from, replaced by this direction's.
double maximal_correlation(const std::vector<PairCell>& pairs, const std::vector<double>& marginal, double total,
                           const std::vector<double>& value, std::vector<double>& guess, const Kernels& kernels);

// The same of a list of ordered pairs that is not symmetric, or whose counts are weighted: `scale` makes them probabilities, whose
// marginals, by number of the level, are `rows` and `columns`.
double maximal_correlation(const CountMatrix& pairs, double scale, const std::vector<double>& rows, const std::vector<double>& columns,
                           const std::vector<double>& value);

struct alignas(64) LaneOfEight {  // one number of each of eight matrices
    double lane[8];
};

struct CorrelationScratch {
    std::vector<double> total, marginal, guess;
    std::vector<LaneOfEight> matrices, lane_marginal, tridiagonal;
    std::vector<std::uint32_t> number;
    std::vector<std::uint64_t> neighbours;
};

// The coefficient of every symmetric matrix that holds a pair. Few levels: eight at a time, by Kernels::second_eigenvalues.
void maximal_correlations(std::span<const std::vector<PairCell>* const> matrices, const Levels& levels, const Kernels& kernels,
                          CorrelationScratch& scratch, std::span<double> result);

}  // namespace isthmus
