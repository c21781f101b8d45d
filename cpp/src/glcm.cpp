#include "isthmus/features/glcm.hpp"

#include <algorithm>
#include <cmath>

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

std::array<double, glcm_names.size()> of_direction(const CooccurrenceSums& h, double highest, const CountLogarithms& n_log) {
    const double total = h.total;
    double mean = 0, marginal_n_log_n = 0, active = 0;
    for (const auto& [value, n] : h.level) {
        mean += value * n;
        marginal_n_log_n += n_log(static_cast<std::uint64_t>(n));
        active += 1;
    }
    mean /= total;

    double sum_squares = 0, tendency = 0, shade = 0, prominence = 0, sum_n_log_n = 0, sum_cells = 0;
    for (const auto& [value, n] : h.sum) {
        const double d = value - 2 * mean;
        sum_squares += n * value * value;
        tendency += n * d * d;
        shade += n * d * d * d;
        prominence += n * d * d * d * d;
        sum_n_log_n += n_log(static_cast<std::uint64_t>(n));
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
        difference_n_log_n += n_log(static_cast<std::uint64_t>(n));
        difference_cells += 1;
    }
    average /= total;
    contrast /= total;
    tendency /= total;
    double difference_variance = 0;
    for (const auto& [value, n] : h.difference) difference_variance += n * (value - average) * (value - average);

    const double variance = (tendency + contrast) / 4, covariance = (tendency - contrast) / 4;
    const double joint_entropy = entropy(total, h.n_log_n, h.cells);
    const double marginal_entropy = entropy(total, marginal_n_log_n, active);
    double imc1 = 0, imc2 = 0;
    if (active > 1) {  // HXY1 = HXY2 = 2 HX: the matrix is symmetric
        const double information = 2 * marginal_entropy - joint_entropy;  // 0 up to rounding where i and j are independent
        imc1 = -information / marginal_entropy;
        imc2 = information < 1e-13 ? 0 : std::sqrt(1 - std::exp(-2 * information));
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

void CooccurrenceSums::fill(const std::vector<PairCell>& pairs, const Levels& levels, const CountLogarithms& n_log) {
    marginal_.resize(std::max(marginal_.size(), levels.value.size()), 0.0);
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

std::array<double, glcm_names.size()> glcm(const DirectionCounts* directions, const Levels& levels, const Kernels& kernels,
                                           GlcmScratch& scratch, bool with_mcc) {
    const CountLogarithms& n_log = count_logarithms();
    std::array<double, 13> correlation{};
    if (with_mcc) correlation = maximal_correlations(directions, levels, kernels, scratch.correlation);
    MeanOfDirections<glcm_names.size()> mean;
    for (std::size_t d = 0; d < 13; ++d) {
        if (directions[d].pairs.empty()) continue;
        scratch.sums.fill(directions[d].pairs, levels, n_log);
        auto values = of_direction(scratch.sums, levels.highest, n_log);
        values[glcm_mcc] = correlation[d];
        mean.add(values);
    }
    auto result = mean.mean();
    if (with_mcc && std::count_if(levels.voxels.begin(), levels.voxels.end(), [](std::uint64_t n) { return n > 0; }) < 2)
        result[glcm_mcc] = 1;  // a flat region, by definition
    return result;
}

}  // namespace isthmus
