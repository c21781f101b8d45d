#include "isthmus/features/glcm.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "isthmus/correlation_coefficient.hpp"
#include "isthmus/logarithms.hpp"
#include "isthmus/mean_of_directions.hpp"

namespace isthmus {

namespace {

constexpr std::size_t mcc = 19;

// What all formulas need of one direction's matrix: the histograms of i, i + j and |i - j|, and four sums over cells.
struct Histograms {
    std::vector<double> marginal;    // by number of the level
    std::vector<std::uint64_t> sum;  // by i + j
    std::vector<std::uint64_t> difference;
    double total = 0, squares = 0, n_log_n = 0, cells = 0, largest = 0;

    void fill(const std::vector<PairCell>& pairs, const Levels& levels, const CountLogarithms& n_log) {
        marginal.assign(levels.value.size(), 0.0);
        sum.assign(2 * static_cast<std::size_t>(levels.highest) + 1, 0);
        difference.assign(static_cast<std::size_t>(levels.highest) + 1, 0);
        total = squares = n_log_n = cells = largest = 0;
        for (const PairCell& cell : pairs) {
            const std::size_t i = static_cast<std::size_t>(levels.value[cell.high]), j = static_cast<std::size_t>(levels.value[cell.low]);
            const double n = cell.count;
            sum[i + j] += 2u * static_cast<std::uint64_t>(cell.count);
            difference[i - j] += 2u * static_cast<std::uint64_t>(cell.count);
            marginal[cell.high] += n;
            marginal[cell.low] += n;
            total += 2 * n;
            if (cell.high == cell.low) {
                squares += 4 * n * n;
                n_log_n += n_log(2u * static_cast<std::uint64_t>(cell.count));
                cells += 1;
                largest = std::max(largest, 2 * n);
            } else {
                squares += 2 * n * n;
                n_log_n += 2 * n_log(cell.count);
                cells += 2;
                largest = std::max(largest, n);
            }
        }
    }
};

std::array<double, glcm_names.size()> of_direction(const Histograms& h, const Levels& levels, const CountLogarithms& n_log) {
    const double total = h.total, highest = levels.highest;
    double mean = 0, marginal_n_log_n = 0, active = 0;
    for (std::size_t k = 1; k < h.marginal.size(); ++k)
        if (h.marginal[k] > 0) {
            mean += levels.value[k] * h.marginal[k];
            marginal_n_log_n += n_log(static_cast<std::uint64_t>(h.marginal[k]));
            active += 1;
        }
    mean /= total;

    double sum_squares = 0, tendency = 0, shade = 0, prominence = 0, sum_n_log_n = 0, sum_cells = 0;
    for (std::size_t k = 2; k < h.sum.size(); ++k) {
        if (h.sum[k] == 0) continue;
        const double n = static_cast<double>(h.sum[k]), value = static_cast<double>(k), d = value - 2 * mean;
        sum_squares += n * value * value;
        tendency += n * d * d;
        shade += n * d * d * d;
        prominence += n * d * d * d * d;
        sum_n_log_n += n_log(h.sum[k]);
        sum_cells += 1;
    }
    double average = 0, contrast = 0, id = 0, idm = 0, idmn = 0, idn = 0, inverse = 0, difference_n_log_n = 0, difference_cells = 0;
    for (std::size_t k = 0; k < h.difference.size(); ++k) {
        if (h.difference[k] == 0) continue;
        const double n = static_cast<double>(h.difference[k]), value = static_cast<double>(k), square = value * value;
        average += n * value;
        contrast += n * square;
        id += n / (1 + value);
        idm += n / (1 + square);
        idmn += n / (1 + square / (highest * highest));
        idn += n / (1 + value / highest);
        if (k > 0) inverse += n / square;
        difference_n_log_n += n_log(h.difference[k]);
        difference_cells += 1;
    }
    average /= total;
    contrast /= total;
    tendency /= total;
    double difference_variance = 0;
    for (std::size_t k = 0; k < h.difference.size(); ++k)
        if (h.difference[k] > 0) {
            const double d = static_cast<double>(k) - average;
            difference_variance += static_cast<double>(h.difference[k]) * d * d;
        }

    const double variance = (tendency + contrast) / 4, covariance = (tendency - contrast) / 4;
    const double joint_entropy = entropy(total, h.n_log_n, h.cells);
    const double marginal_entropy = entropy(total, marginal_n_log_n, active);
    double imc1 = 0, imc2 = 0;
    if (active > 1) {  // HXY1 = HXY2 = 2 HX: the matrix is symmetric
        const double information = 2 * marginal_entropy - joint_entropy;
        imc1 = -information / marginal_entropy;
        imc2 = information == 0 ? 0 : std::sqrt(1 - std::exp(-2 * information));  // NaN where rounding makes it negative
    }
    return {(sum_squares / total - contrast) / 4,
            prominence / total,
            shade / total,
            tendency,
            contrast,
            variance == 0 ? 1.0 : covariance / (variance + machine_epsilon),
            average,
            entropy(total, difference_n_log_n, difference_cells),
            difference_variance / total,
            id / total,
            idm / total,
            idmn / total,
            idn / total,
            imc1,
            imc2,
            inverse / total,
            mean,
            h.squares / (total * total),
            joint_entropy,
            0.0,
            h.largest / total,
            2 * mean,
            entropy(total, sum_n_log_n, sum_cells),
            variance};
}

}  // namespace

std::array<double, glcm_names.size()> glcm(const DirectionCounts* directions, const Levels& levels, const Kernels& kernels) {
    if (levels.highest > (1u << 22))
        throw std::invalid_argument("the highest grey level is " + std::to_string(levels.highest) +
                                    "; at most 4194304 are possible: take wider bins");
    const CountLogarithms& n_log = count_logarithms();
    Histograms h;
    MeanOfDirections<glcm_names.size()> mean;
    std::vector<double> guess(levels.value.size(), 0.0);
    std::uint32_t present = 0;
    for (const std::uint64_t voxels : levels.voxels) present += voxels > 0;
    for (int d = 0; d < 13; ++d) {
        if (directions[d].pairs.empty()) continue;
        h.fill(directions[d].pairs, levels, n_log);
        auto values = of_direction(h, levels, n_log);
        values[mcc] = maximal_correlation(directions[d].pairs, h.marginal, h.total, levels.value, guess, kernels);
        mean.add(values);
    }
    auto result = mean.mean();
    if (present < 2) result[mcc] = 1;  // a flat region, by definition
    return result;
}

}  // namespace isthmus
