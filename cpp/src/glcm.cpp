#include "isthmus/features/glcm.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "isthmus/mean_of_directions.hpp"

namespace isthmus {

namespace {

using Bin = CooccurrenceSums::Bin;

// The occupied bins of a dense histogram, ascending; the histogram is empty again afterwards.
void drain(std::vector<double>& histogram, std::size_t size, double first, std::vector<Bin>& out) {
    out.resize(size);
    std::size_t bins = 0;
    for (std::size_t k = 0; k < size; ++k) {  // without a branch: which bins are occupied cannot be foreseen
        out[bins] = {first + static_cast<double>(k), histogram[k]};
        bins += histogram[k] > 0;
        histogram[k] = 0;
    }
    out.resize(bins);
}

void sort_and_merge(std::vector<Bin>& bins) {
    std::sort(bins.begin(), bins.end(), [](const Bin& a, const Bin& b) { return a.value < b.value; });
    std::size_t last = 0;
    for (std::size_t i = 1; i < bins.size(); ++i)
        if (bins[i].value == bins[last].value)
            bins[last].count += bins[i].count;
        else
            bins[++last] = bins[i];
    bins.resize(last + 1);
}

// sum n log2 n of whole counts, and what becomes of it.
struct Whole {
    const CountLogarithms& table;
    double operator()(double n) const { return table(static_cast<std::uint64_t>(n)); }
    static double entropy_of(double total, double n_log_n, double cells) { return entropy(total, n_log_n, cells); }
};

// The same of probabilities, which may be so small that eps counts.
struct Probable {
    double operator()(double p) const { return p * std::log2(p + machine_epsilon); }
    static double entropy_of(double, double p_log_p, double) { return -p_log_p; }
};

// Mean, variance and entropy of the levels of the first or second voxel.
struct Marginal {
    double mean = 0, variance = 0, disorder = 0;

    template <class Logarithms>
    Marginal(const std::vector<Bin>& bins, double total, const Logarithms& n_log) {
        double n_log_n = 0;
        for (const auto& [value, n] : bins) {
            mean += value * n;
            n_log_n += n_log(n);
        }
        mean /= total;
        for (const auto& [value, n] : bins) variance += n * (value - mean) * (value - mean);
        variance /= total;
        disorder = Logarithms::entropy_of(total, n_log_n, static_cast<double>(bins.size()));
    }
};

template <class Logarithms>
std::array<double, glcm_names.size()> of_matrix(const CooccurrenceSums& h, double highest, const Logarithms& n_log) {
    const bool symmetric = h.column.empty();
    const double total = h.total;
    const Marginal x(h.level, total, n_log), y = symmetric ? x : Marginal(h.column, total, n_log);
    const double centre = x.mean + y.mean;

    double sum_squares = 0, tendency = 0, shade = 0, prominence = 0, sum_n_log_n = 0, sum_cells = 0;
    for (const auto& [value, n] : h.sum) {
        const double d = value - centre;
        sum_squares += n * value * value;
        tendency += n * d * d;
        shade += n * d * d * d;
        prominence += n * d * d * d * d;
        sum_n_log_n += n_log(n);
        sum_cells += 1;
    }
    double average = 0, contrast = 0, id = 0, idm = 0, idmn = 0, idn = 0, inverse = 0, difference_n_log_n = 0, difference_cells = 0;
    for (const auto& [value, n] : h.difference) {
        const double square = value * value;
        average += n * value;
        contrast += n * square;
        id += n / (1 + value);
        idm += n / (1 + square);
        idmn += n / (1 + square / (highest * highest));
        idn += n / (1 + value / highest);
        if (value > 0) inverse += n / square;
        difference_n_log_n += n_log(n);
        difference_cells += 1;
    }
    average /= total;
    contrast /= total;
    tendency /= total;
    double difference_variance = 0;
    for (const auto& [value, n] : h.difference) difference_variance += n * (value - average) * (value - average);

    // the variances of i + j and i - j give the covariance and, of a symmetric matrix, the variance of i
    const bool one_level = h.level.size() < 2 || (!symmetric && h.column.size() < 2);
    const double between = x.mean - y.mean, covariance = (tendency - contrast + between * between) / 4;
    const double variance = symmetric ? (tendency + contrast) / 4 : x.variance;
    const double deviations = symmetric ? variance : std::sqrt(x.variance * y.variance);
    const double joint_entropy = Logarithms::entropy_of(total, h.n_log_n, h.cells);
    double imc1 = 0, imc2 = 0;
    if (!one_level) {  // HXY1 = HXY2 = HX + HY
        const double information = x.disorder + y.disorder - joint_entropy;  // 0 up to rounding where i and j are independent
        imc1 = -information / std::max(x.disorder, y.disorder);
        imc2 = information < 1e-13 ? 0 : std::sqrt(1 - std::exp(-2 * information));
    }
    return {(sum_squares / total - contrast) / 4,
            prominence / total,
            shade / total,
            tendency,
            contrast,
            one_level ? 1.0 : covariance / (deviations + machine_epsilon),
            average,
            Logarithms::entropy_of(total, difference_n_log_n, difference_cells),
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
            Logarithms::entropy_of(total, sum_n_log_n, sum_cells),
            variance};
}

}  // namespace

void CooccurrenceSums::fill(const std::vector<PairCell>& pairs, const Levels& levels, const CountLogarithms& n_log) {
    marginal_.resize(std::max(marginal_.size(), levels.value.size()), 0.0);
    column.clear();
    total = squares = n_log_n = cells = largest = 0;
    std::uint32_t lowest = pairs.front().low, highest = pairs.front().high;
    for (const PairCell& cell : pairs) {
        const double n = cell.count;
        marginal_[cell.high] += n;
        marginal_[cell.low] += n;
        total += 2 * n;
        lowest = std::min(lowest, cell.low);
        highest = std::max(highest, cell.high);
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
    level.clear();
    for (std::uint32_t k = lowest; k <= highest; ++k)
        if (marginal_[k] > 0) {
            level.push_back({levels.value[k], marginal_[k]});
            marginal_[k] = 0;
        }

    const double first = levels.value[lowest];
    const std::size_t range = static_cast<std::size_t>(levels.value[highest] - first) + 1;
    if (range > 16 * pairs.size() + 256) {  // a histogram would be mostly empty
        sum.clear();
        difference.clear();
        for (const PairCell& cell : pairs) {
            const double i = levels.value[cell.high], j = levels.value[cell.low], n = 2.0 * cell.count;
            sum.push_back({i + j, n});
            difference.push_back({i - j, n});
        }
        sort_and_merge(sum);
        sort_and_merge(difference);
        return;
    }
    sums_.resize(std::max(sums_.size(), 2 * range), 0.0);
    differences_.resize(std::max(differences_.size(), range), 0.0);
    for (const PairCell& cell : pairs) {
        const std::size_t i = static_cast<std::size_t>(levels.value[cell.high] - first), j = static_cast<std::size_t>(levels.value[cell.low] - first);
        const double n = 2.0 * cell.count;
        sums_[i + j] += n;
        differences_[i - j] += n;
    }
    drain(sums_, 2 * range, 2 * first, sum);
    drain(differences_, range, 0, difference);
}

template <class Logarithms>
void CooccurrenceSums::fill(const CountMatrix& pairs, double scale, bool symmetric, const Levels& levels, const Logarithms& n_log) {
    total = squares = n_log_n = cells = largest = 0;
    for (std::vector<Bin>* bins : {&level, &column, &sum, &difference}) bins->clear();
    for (const CountCell& cell : pairs) {
        const double i = levels.value[cell.row], j = levels.value[cell.column], n = cell.count * scale;
        level.push_back({i, n});
        if (!symmetric) column.push_back({j, n});
        sum.push_back({i + j, n});
        difference.push_back({std::abs(i - j), n});
        total += n;
        squares += n * n;
        n_log_n += n_log(n);
        cells += 1;
        largest = std::max(largest, n);
    }
    sort_and_merge(level);
    if (!symmetric) sort_and_merge(column);
    sort_and_merge(sum);
    sort_and_merge(difference);
}

namespace {

// The mean over symmetric matrices of whole counts; of an empty one nothing is defined.
std::array<double, glcm_names.size()> mean_over(std::span<const std::vector<PairCell>* const> matrices, const Levels& levels,
                                                double grey_levels, const Kernels& kernels, GlcmScratch& scratch, bool with_mcc) {
    const CountLogarithms& n_log = count_logarithms();
    scratch.mcc.assign(matrices.size(), 0.0);
    if (with_mcc) maximal_correlations(matrices, levels, kernels, scratch.correlation, scratch.mcc);
    MeanOfDirections<glcm_names.size()> mean;
    for (std::size_t d = 0; d < matrices.size(); ++d) {
        if (matrices[d]->empty()) continue;
        scratch.sums.fill(*matrices[d], levels, n_log);
        auto values = of_matrix(scratch.sums, grey_levels, Whole{n_log});
        values[glcm_mcc] = scratch.mcc[d];
        mean.add(values);
    }
    auto result = mean.mean();
    if (with_mcc && std::count_if(levels.voxels.begin(), levels.voxels.end(), [](std::uint64_t n) { return n > 0; }) < 2)
        result[glcm_mcc] = 1;  // a flat region, by definition
    return result;
}

std::vector<double> marginal(const CountMatrix& pairs, double scale, std::size_t levels, std::uint32_t CountCell::* of) {
    std::vector<double> p(levels, 0.0);
    for (const CountCell& cell : pairs) p[cell.*of] += cell.count * scale;
    return p;
}

// The information correlations of a weighted matrix, in which a cell may be so light that eps counts: no short cut.
void of_probabilities(const CountMatrix& pairs, double scale, const std::vector<double>& px, const std::vector<double>& py,
                      double joint_entropy, double& imc1, double& imc2) {
    const Probable p_log;
    double hx = 0, hy = 0, hxy1 = 0, hxy2 = 0;
    for (std::size_t k = 1; k < px.size(); ++k) hx -= p_log(px[k]), hy -= p_log(py[k]);
    for (const CountCell& cell : pairs) hxy1 -= cell.count * scale * std::log2(px[cell.row] * py[cell.column] + machine_epsilon);
    for (const double a : px)
        for (const double b : py)
            if (a * b > 0) hxy2 -= p_log(a * b);
    const double largest = std::max(hx, hy), information = hxy2 - joint_entropy;
    imc1 = largest == 0 ? 0 : (joint_entropy - hxy1) / largest;
    imc2 = information < 1e-13 ? 0 : std::sqrt(1 - std::exp(-2 * information));
}

}  // namespace

std::array<double, glcm_names.size()> glcm(const DirectionCounts* directions, const Levels& levels, const Kernels& kernels,
                                           GlcmScratch& scratch, bool with_mcc) {
    std::array<const std::vector<PairCell>*, 13> matrices;
    for (std::size_t d = 0; d < 13; ++d) matrices[d] = &directions[d].pairs;
    return mean_over(matrices, levels, levels.highest, kernels, scratch, with_mcc);
}

std::array<double, glcm_names.size()> glcm(std::span<const CountMatrix* const> matrices, const Levels& levels, const GlcmRules& rules,
                                           const Kernels& kernels, GlcmScratch& scratch) {
    std::array<double, glcm_names.size()> result;
    if (rules.symmetric && !rules.weighted) {
        std::vector<std::vector<PairCell>> unordered(matrices.size());
        std::vector<const std::vector<PairCell>*> pointers;
        for (std::size_t d = 0; d < matrices.size(); ++d) {
            for (const CountCell& cell : *matrices[d])
                if (cell.row >= cell.column)
                    unordered[d].push_back({cell.row, cell.column, static_cast<std::uint32_t>(cell.row == cell.column ? cell.count / 2 : cell.count)});
            pointers.push_back(&unordered[d]);
        }
        result = mean_over(pointers, levels, rules.grey_levels, kernels, scratch, rules.with_mcc);
    } else {
        MeanOfDirections<glcm_names.size()> mean;
        for (const CountMatrix* pairs : matrices) {
            double total = 0;
            for (const CountCell& cell : *pairs) total += cell.count;
            const std::vector<double> px = marginal(*pairs, 1 / total, levels.value.size(), &CountCell::row);
            const std::vector<double> py = marginal(*pairs, 1 / total, levels.value.size(), &CountCell::column);
            std::array<double, glcm_names.size()> values;
            if (rules.weighted) {
                scratch.sums.fill(*pairs, 1 / total, rules.symmetric, levels, Probable{});
                values = of_matrix(scratch.sums, rules.grey_levels, Probable{});
                of_probabilities(*pairs, 1 / total, px, py, values[glcm_joint_entropy], values[glcm_imc1], values[glcm_imc1 + 1]);
            } else {
                scratch.sums.fill(*pairs, 1, rules.symmetric, levels, Whole{count_logarithms()});
                values = of_matrix(scratch.sums, rules.grey_levels, Whole{count_logarithms()});
            }
            if (rules.with_mcc) values[glcm_mcc] = maximal_correlation(*pairs, 1 / total, px, py, levels.value);
            mean.add(values);
        }
        result = mean.mean();
        if (std::count_if(levels.voxels.begin(), levels.voxels.end(), [](std::uint64_t n) { return n > 0; }) < 2) result[glcm_mcc] = 1;
    }
    if (!rules.with_mcc) result[glcm_mcc] = std::numeric_limits<double>::quiet_NaN();
    return result;
}

}  // namespace isthmus
