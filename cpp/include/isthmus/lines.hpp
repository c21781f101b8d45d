// Linear maps along one axis: every separable filter, with its boundary condition folded in, is one such map per axis.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "isthmus/view.hpp"

namespace isthmus {

// Row r of the result is the sum over e in [starts[r], starts[r + 1]) of weights[e] times row columns[e] of the input, in that order.
struct LineMap {
    std::span<const std::int32_t> starts;  // rows + 1
    std::span<const std::int32_t> columns;
    std::span<const double> weights;
};

// Throws std::invalid_argument unless every column lies in [0, size) and the starts rise from 0 to the number of weights.
void check(const LineMap& map, Index size);

// `in` has `shape` in C order; `out` the same shape but for `map.starts.size() - 1` along `axis`.
void map_lines(const double* in, const std::array<Index, 3>& shape, int axis, const LineMap& map, double* out);

}  // namespace isthmus
