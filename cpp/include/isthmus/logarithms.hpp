// n * log2(n) of integer counts: entropies need no logarithm per cell.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace isthmus {

inline constexpr double machine_epsilon = std::numeric_limits<double>::epsilon();

class CountLogarithms {
public:
    CountLogarithms() : table_(8192) {
        for (std::size_t n = 2; n < table_.size(); ++n) table_[n] = static_cast<double>(n) * std::log2(static_cast<double>(n));
    }
    double operator()(std::uint64_t n) const {
        return n < table_.size() ? table_[n] : static_cast<double>(n) * std::log2(static_cast<double>(n));
    }
    // of a count that may be weighted
    double of(std::uint64_t n) const { return (*this)(n); }
    double of(double n) const {
        return n < static_cast<double>(table_.size()) && n == std::floor(n) ? table_[static_cast<std::size_t>(n)] : n * std::log2(n);
    }

private:
    std::vector<double> table_;
};

// Made at first use, never changed.
inline const CountLogarithms& count_logarithms() {
    static const CountLogarithms table;
    return table;
}

// -sum p log2(p + eps) of counts whose sum is `total`: the small constant adds eps / ln 2 per cell that holds something.
inline double entropy(double total, double sum_of_n_log_n, double cells) {
    return std::log2(total) - sum_of_n_log_n / total - cells * (machine_epsilon / 0.69314718055994530942);
}

}  // namespace isthmus
