#include "isthmus/features/glcm.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "isthmus/correlation_coefficient.hpp"
#include "isthmus/discretise.hpp"
#include "isthmus/logarithms.hpp"
#include "isthmus/mean_of_directions.hpp"

namespace isthmus {

namespace {

constexpr std::size_t imc1_place = 13, imc2_place = 14, mcc_place = 19;

// sum of p log2(p + eps), for matrices whose counts were weighted and normalised.
struct ProbabilityLogarithms {
    double operator()(double p) const { return p * std::log2(p + machine_epsilon); }
};

double entropy_of(const CountLogarithms&, double total, double n_log_n, double cells) { return entropy(total, n_log_n, cells); }
double entropy_of(const ProbabilityLogarithms&, double, double p_log_p, double) { return -p_log_p; }

// What all formulas need of one matrix: the histograms of i, j, i + j and |i - j|, and four sums over cells. Counts are integers, or
// probabilities where matrices were weighted.
template <class Count>
struct Histograms {
    std::vector<double> rows;        // by number of the level
    std::vector<double> columns;     // empty: the same, the matrix is symmetric
    std::vector<Count> sum;          // by i + j
    std::vector<Count> difference;   // by |i - j|
    double total = 0, squares = 0, n_log_n = 0, cells = 0, largest = 0;

    void clear(const Levels& levels) {
        rows.assign(levels.value.size(), 0.0);
        columns.clear();
        sum.assign(2 * static_cast<std::size_t>(levels.highest) + 1, 0);
        difference.assign(static_cast<std::size_t>(levels.highest) + 1, 0);
        total = squares = n_log_n = cells = largest = 0;
    }
};

void fill(Histograms<std::uint64_t>& h, const std::vector<PairCell>& pairs, const Levels& levels, const CountLogarithms& n_log) {
    h.clear(levels);
    for (const PairCell& cell : pairs) {
        const std::size_t i = static_cast<std::size_t>(levels.value[cell.high]), j = static_cast<std::size_t>(levels.value[cell.low]);
        const std::uint64_t count = cell.count;
        const double n = cell.count;
        h.sum[i + j] += 2 * count;
        h.difference[i - j] += 2 * count;
        h.rows[cell.high] += n;
        h.rows[cell.low] += n;
        h.total += 2 * n;
        if (cell.high == cell.low) {
            h.squares += 4 * n * n;
            h.n_log_n += n_log(2 * count);
            h.cells += 1;
            h.largest = std::max(h.largest, 2 * n);
        } else {
            h.squares += 2 * n * n;
            h.n_log_n += 2 * n_log(count);
            h.cells += 2;
            h.largest = std::max(h.largest, n);
        }
    }
}

// From ordered pairs; `scale` turns weighted counts into probabilities.
template <class Count, class Logarithms>
void fill(Histograms<Count>& h, const CountMatrix& pairs, double scale, bool symmetric, const Levels& levels, const Logarithms& n_log) {
    h.clear(levels);
    if (!symmetric) h.columns.assign(levels.value.size(), 0.0);
    for (const CountCell& cell : pairs) {
        const std::size_t i = static_cast<std::size_t>(levels.value[cell.row]), j = static_cast<std::size_t>(levels.value[cell.column]);
        const double n = cell.count * scale;
        const Count count = static_cast<Count>(n);
        h.sum[i + j] += count;
        h.difference[i > j ? i - j : j - i] += count;
        h.rows[cell.row] += n;
        if (!symmetric) h.columns[cell.column] += n;
        h.total += n;
        h.squares += n * n;
        h.n_log_n += n_log(count);
        h.cells += 1;
        h.largest = std::max(h.largest, n);
    }
}

// Mean, entropy and active levels of a marginal.
struct Marginal {
    double mean = 0, disorder = 0, active = 0;

    template <class Count, class Logarithms>
    static Marginal of(const Histograms<Count>& h, const std::vector<double>& counts, const Levels& levels, const Logarithms& n_log) {
        Marginal m;
        double n_log_n = 0;
        for (std::size_t k = 1; k < counts.size(); ++k)
            if (counts[k] > 0) {
                m.mean += levels.value[k] * counts[k];
                n_log_n += n_log(static_cast<Count>(counts[k]));
                m.active += 1;
            }
        m.mean /= h.total;
        m.disorder = entropy_of(n_log, h.total, n_log_n, m.active);
        return m;
    }
    double variance(const std::vector<double>& counts, double total, const Levels& levels) const {
        double sum = 0;
        for (std::size_t k = 1; k < counts.size(); ++k) sum += counts[k] * (levels.value[k] - mean) * (levels.value[k] - mean);
        return sum / total;
    }
};

template <class Count, class Logarithms>
std::array<double, glcm_names.size()> of_matrix(const Histograms<Count>& h, const Levels& levels, double grey_levels,
                                                const Logarithms& n_log) {
    const bool symmetric = h.columns.empty();
    const double total = h.total;
    const Marginal x = Marginal::of(h, h.rows, levels, n_log), y = symmetric ? x : Marginal::of(h, h.columns, levels, n_log);
    const double centre = x.mean + y.mean;

    double sum_squares = 0, tendency = 0, shade = 0, prominence = 0, sum_n_log_n = 0, sum_cells = 0;
    for (std::size_t k = 2; k < h.sum.size(); ++k) {
        if (h.sum[k] == 0) continue;
        const double n = static_cast<double>(h.sum[k]), value = static_cast<double>(k), d = value - centre;
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
        idmn += n / (1 + square / (grey_levels * grey_levels));
        idn += n / (1 + value / grey_levels);
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

    // the variances of i + j and i - j give those of i and j, and their covariance
    const bool one_level = x.active < 2 || y.active < 2;
    const double between = x.mean - y.mean, covariance = (tendency - contrast + between * between) / 4;
    const double variance = symmetric ? (tendency + contrast) / 4 : x.variance(h.rows, total, levels);
    const double deviations = symmetric ? variance : std::sqrt(variance * y.variance(h.columns, total, levels));
    const double joint_entropy = entropy_of(n_log, total, h.n_log_n, h.cells);
    double imc1 = 0, imc2 = 0;
    if (!one_level) {  // HXY1 = HXY2 = HX + HY
        const double information = x.disorder + y.disorder - joint_entropy;
        imc1 = -information / std::max(x.disorder, y.disorder);
        imc2 = information == 0 ? 0 : std::sqrt(1 - std::exp(-2 * information));  // NaN where rounding makes it negative
    }
    return {(sum_squares / total - contrast) / 4,
            prominence / total,
            shade / total,
            tendency,
            contrast,
            one_level ? 1.0 : covariance / (deviations + machine_epsilon),
            average,
            entropy_of(n_log, total, difference_n_log_n, difference_cells),
            difference_variance / total,
            id / total,
            idm / total,
            idmn / total,
            idn / total,
            imc1,
            imc2,
            inverse / total,
            x.mean,
            h.squares / (total * total),
            joint_entropy,
            0.0,
            h.largest / total,
            centre,
            entropy_of(n_log, total, sum_n_log_n, sum_cells),
            variance};
}

// The information correlations of a weighted matrix, in which a cell may be so light that eps counts: no short cut.
void of_probabilities(const CountMatrix& pairs, double scale, const Histograms<double>& h, double& imc1, double& imc2) {
    const std::vector<double>&px = h.rows, &py = h.columns.empty() ? h.rows : h.columns;
    const ProbabilityLogarithms p_log;
    double hx = 0, hy = 0, hxy1 = 0, hxy2 = 0;
    for (std::size_t k = 1; k < px.size(); ++k) hx -= p_log(px[k]), hy -= p_log(py[k]);
    for (const CountCell& cell : pairs) hxy1 -= cell.count * scale * std::log2(px[cell.row] * py[cell.column] + machine_epsilon);
    for (const double a : px)
        for (const double b : py)
            if (a * b > 0) hxy2 -= p_log(a * b);
    const double largest = std::max(hx, hy), hxy = -h.n_log_n;
    imc1 = largest == 0 ? 0 : (hxy - hxy1) / largest;
    imc2 = hxy2 == hxy ? 0 : std::sqrt(1 - std::exp(-2 * (hxy2 - hxy)));
}

std::uint32_t levels_present(const Levels& levels) {
    return static_cast<std::uint32_t>(std::count_if(levels.voxels.begin(), levels.voxels.end(), [](std::uint64_t n) { return n > 0; }));
}

void check(const Levels& levels) {
    if (levels.highest > highest_level)
        throw std::invalid_argument("the highest grey level is " + std::to_string(levels.highest) + "; at most " +
                                    std::to_string(highest_level) + " are possible: take wider bins");
}

}  // namespace

std::array<double, glcm_names.size()> glcm(const DirectionCounts* directions, const Levels& levels, const Kernels& kernels) {
    check(levels);
    const CountLogarithms& n_log = count_logarithms();
    Histograms<std::uint64_t> h;
    MeanOfDirections<glcm_names.size()> mean;
    std::vector<double> guess(levels.value.size(), 0.0);
    for (int d = 0; d < 13; ++d) {
        if (directions[d].pairs.empty()) continue;
        fill(h, directions[d].pairs, levels, n_log);
        auto values = of_matrix(h, levels, levels.highest, n_log);
        values[mcc_place] = maximal_correlation(directions[d].pairs, h.rows, h.total, levels.value, guess, kernels);
        mean.add(values);
    }
    auto result = mean.mean();
    if (levels_present(levels) < 2) result[mcc_place] = 1;  // a flat region, by definition
    return result;
}

std::array<double, glcm_names.size()> glcm(const CountMatrix& pairs, const Levels& levels, const GlcmRules& rules, const Kernels& kernels) {
    check(levels);
    std::array<double, glcm_names.size()> values;
    double& mcc = values[mcc_place];
    const bool correlated = rules.correlation && levels_present(levels) > 1;
    if (rules.weighted) {
        double total = 0;
        for (const CountCell& cell : pairs) total += cell.count;
        Histograms<double> h;
        fill(h, pairs, 1 / total, rules.symmetric, levels, ProbabilityLogarithms{});
        h.total = 1;
        values = of_matrix(h, levels, rules.grey_levels, ProbabilityLogarithms{});
        of_probabilities(pairs, 1 / total, h, values[imc1_place], values[imc2_place]);
        if (correlated) mcc = maximal_correlation(pairs, 1 / total, h.rows, rules.symmetric ? h.rows : h.columns, levels.value);
    } else {
        Histograms<std::uint64_t> h;
        fill(h, pairs, 1, rules.symmetric, levels, count_logarithms());
        values = of_matrix(h, levels, rules.grey_levels, count_logarithms());
        if (correlated && rules.symmetric) mcc = maximal_correlation(pairs, h.rows, h.total, levels.value, kernels);
        if (correlated && !rules.symmetric) {
            for (double& n : h.rows) n /= h.total;
            for (double& n : h.columns) n /= h.total;
            mcc = maximal_correlation(pairs, 1 / h.total, h.rows, h.columns, levels.value);
        }
    }
    if (!correlated) mcc = rules.correlation ? 1 : std::numeric_limits<double>::quiet_NaN();
    if (rules.real_imc2 && std::isnan(values[imc2_place])) values[imc2_place] = 0;
    return values;
}

}  // namespace isthmus
