// The sums that run-length, zone and dependence matrices share: rows are grey levels, columns sizes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "isthmus/count_matrix.hpp"
#include "isthmus/logarithms.hpp"

namespace isthmus {

struct SizeSums {
    double total = 0;        // N: sum of all cells
    double voxels = 0;       // sum of count * size
    double squares = 0;      // of the cells
    double level_squares = 0, size_squares = 0;  // of the marginals
    double level_variance = 0, size_variance = 0;
    double entropy = 0;
    double small = 0, large = 0, low = 0, high = 0;  // 1/size^2, size^2, 1/level^2, level^2
    double small_low = 0, small_high = 0, large_low = 0, large_high = 0;
};

// `cells` hands (level number, size, count) to its argument, in a fixed order, one call per cell; sizes need not ascend.
// A count is an integer (std::uint64_t) or, weighted, a double. `sizes` hands over the count of every size in the same way.
template <class Cells, class Sizes>
SizeSums size_sums(const Cells& cells, const Sizes& sizes, const std::vector<double>& value) {
    const CountLogarithms& n_log = count_logarithms();
    SizeSums s;
    std::vector<double> by_level(value.size(), 0.0);
    double n_log_n = 0, occupied = 0;
    cells([&](std::uint32_t level, double size, auto count) {
        const double n = static_cast<double>(count), g = value[level] * value[level], a = size * size;
        by_level[level] += n;
        s.total += n;
        s.squares += n * n;
        n_log_n += n_log.of(count);
        occupied += 1;
        s.small_low += n / (g * a);
        s.small_high += n * g / a;
        s.large_low += n * a / g;
        s.large_high += n * a * g;
    });
    double mean_level = 0, mean_size = 0;
    for (std::size_t k = 1; k < by_level.size(); ++k) {
        const double n = by_level[k], v = value[k];
        if (n == 0) continue;
        s.level_squares += n * n;
        s.low += n / (v * v);
        s.high += n * v * v;
        mean_level += n * v;
    }
    sizes([&](double size, double n) {
        s.size_squares += n * n;
        s.small += n / (size * size);
        s.large += n * size * size;
        mean_size += n * size;
    });
    s.voxels = mean_size;
    mean_level /= s.total;
    mean_size /= s.total;
    for (std::size_t k = 1; k < by_level.size(); ++k)
        s.level_variance += by_level[k] * (value[k] - mean_level) * (value[k] - mean_level);
    sizes([&](double size, double n) { s.size_variance += n * (size - mean_size) * (size - mean_size); });
    s.level_variance /= s.total;
    s.size_variance /= s.total;
    s.entropy = entropy(s.total, n_log_n, occupied);
    return s;
}

inline SizeSums size_sums(const CountMatrix& matrix, const std::vector<double>& value) {
    std::vector<std::pair<std::uint32_t, double>> sizes;
    sizes.reserve(matrix.size());
    for (const CountCell& cell : matrix) sizes.push_back({cell.column, cell.count});
    std::stable_sort(sizes.begin(), sizes.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::size_t last = 0;
    for (std::size_t i = 1; i < sizes.size(); ++i) {
        if (sizes[i].first == sizes[last].first)
            sizes[last].second += sizes[i].second;
        else
            sizes[++last] = sizes[i];
    }
    if (!sizes.empty()) sizes.resize(last + 1);
    return size_sums(
        [&](auto add) {
            for (const CountCell& cell : matrix) add(cell.row, static_cast<double>(cell.column), cell.count);
        },
        [&](auto add) {
            for (const auto& [size, count] : sizes) add(static_cast<double>(size), count);
        },
        value);
}

}  // namespace isthmus
