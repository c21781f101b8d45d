// Maximal correlation coefficient of a co-occurrence matrix.
#pragma once

#include <cstdint>
#include <vector>

#include "isthmus/count_matrix.hpp"
#include "isthmus/kernels.hpp"
#include "isthmus/workspace.hpp"

namespace isthmus {

// Square root of the second largest eigenvalue of Q(i, j) = sum_k p(i,k) p(j,k) / (p_i p_k + eps). `guess` holds one number per
// grey level: the eigenvector of the previous direction to start from, replaced by this direction's.
double maximal_correlation(const std::vector<PairCell>& pairs, const std::vector<double>& marginal, double total,
                           const std::vector<double>& value, std::vector<double>& guess, const Kernels& kernels);

// The same of a symmetric list of ordered pairs.
double maximal_correlation(const CountMatrix& pairs, const std::vector<double>& marginal, double total, const std::vector<double>& value,
                           const Kernels& kernels);

// And of one that is not symmetric, or whose counts are weighted: `scale` makes them probabilities, whose marginals are `rows` and
// `columns`.
double maximal_correlation(const CountMatrix& pairs, double scale, const std::vector<double>& rows, const std::vector<double>& columns,
                           const std::vector<double>& value);

}  // namespace isthmus
