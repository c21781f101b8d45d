#include "isthmus/mixture.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "isthmus/draw.hpp"
#include "isthmus/kernels.hpp"
#include "isthmus/mixture_kernels.hpp"

namespace isthmus {

const MixtureKernels& mixture_kernels(const char* name) {
    const Kernels* set = kernels(name);  // which sets this machine runs is decided in one place
    if (set == nullptr) throw std::invalid_argument("this instruction set is not available on this machine");
#if defined(ISTHMUS_X86)
    if (std::strcmp(set->name, "avx512") == 0) return mixture_kernels_avx512();
    if (std::strcmp(set->name, "avx2") == 0) return mixture_kernels_avx2();
#endif
    return mixture_kernels_base();
}

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// Values ascending with their weights, padded to a multiple of eight.
struct Data {
    std::vector<double> x, weight;
    std::size_t n = 0;
    double total = 0;

    void clear() {
        x.clear();
        weight.clear();
        n = 0;
        total = 0;
    }
    void add(double value, double w) {
        x.push_back(value);
        weight.push_back(w);
        total += w;
        ++n;
    }
    void pad() {
        while (x.size() % 8 != 0) {
            x.push_back(x[0]);
            weight.push_back(0);
        }
    }
};

// The best partition of sorted values into 1 ... most parts (least weighted sum of squares), found exactly: in one dimension k-means needs
// no random start.
class Partitions {
public:
    Partitions(const Data& data, int most) : n_(static_cast<Index>(data.n)) {
        for (auto* sums : {&w_, &x_, &xx_}) sums->assign(data.n + 1, 0.0);
        double centre = 0;
        for (std::size_t i = 0; i < data.n; ++i) centre += data.weight[i] * data.x[i];
        centre /= data.total;
        for (std::size_t i = 0; i < data.n; ++i) {
            const double d = data.x[i] - centre;
            w_[i + 1] = w_[i] + data.weight[i];
            x_[i + 1] = x_[i] + data.weight[i] * d;
            xx_[i + 1] = xx_[i] + data.weight[i] * d * d;
        }
        std::vector<double> before(data.n + 1), now(data.n + 1);
        for (Index i = 1; i <= n_; ++i) before[static_cast<std::size_t>(i)] = cost(0, i);
        begin_.assign(1, std::vector<Index>(data.n + 1, 0));
        for (int k = 2; k <= most; ++k) {
            begin_.emplace_back(data.n + 1, 0);
            solve(k, k, n_, k - 1, n_ - 1, before, now);
            before = now;
        }
    }

    // Ends of the k parts.
    std::vector<Index> ends(int k) const {
        std::vector<Index> found(static_cast<std::size_t>(k));
        Index end = n_;
        for (int part = k; part >= 1; --part) {
            found[static_cast<std::size_t>(part - 1)] = end;
            end = begin_[static_cast<std::size_t>(part - 1)][static_cast<std::size_t>(end)];
        }
        return found;
    }

private:
    double cost(Index from, Index to) const {
        const std::size_t a = static_cast<std::size_t>(from), b = static_cast<std::size_t>(to);
        const double w = w_[b] - w_[a], x = x_[b] - x_[a];
        return std::max(xx_[b] - xx_[a] - x * x / w, 0.0);
    }

    // Row k of the recursion for ends low ... high; the last part begins between first and last, and moves right with its end.
    void solve(int k, Index low, Index high, Index first, Index last, const std::vector<double>& before, std::vector<double>& now) {
        if (low > high) return;
        const Index middle = low + (high - low) / 2;
        double least = std::numeric_limits<double>::infinity();
        Index best = first;
        for (Index begin = std::max<Index>(first, k - 1); begin <= std::min(last, middle - 1); ++begin) {
            const double c = before[static_cast<std::size_t>(begin)] + cost(begin, middle);
            if (c < least) least = c, best = begin;
        }
        now[static_cast<std::size_t>(middle)] = least;
        begin_[static_cast<std::size_t>(k - 1)][static_cast<std::size_t>(middle)] = best;
        solve(k, low, middle - 1, first, best, before, now);
        solve(k, middle + 1, high, best, last, before, now);
    }

    Index n_;
    std::vector<double> w_, x_, xx_;
    std::vector<std::vector<Index>> begin_;
};

double bounded(double variance, double floor, const MixtureSettings& settings) {
    return settings.floor_is_added ? std::max(variance, 0.0) + floor : std::max(variance, floor);
}

Mixture started(const Data& data, const std::vector<Index>& ends, double floor, const MixtureSettings& settings) {
    Mixture mixture;
    mixture.components = static_cast<int>(ends.size());
    Index begin = 0;
    for (std::size_t j = 0; j < ends.size(); ++j) {
        double w = 0, mean = 0, variance = 0;
        for (Index i = begin; i < ends[j]; ++i) {
            w += data.weight[static_cast<std::size_t>(i)];
            mean += data.weight[static_cast<std::size_t>(i)] * data.x[static_cast<std::size_t>(i)];
        }
        mean /= w;
        for (Index i = begin; i < ends[j]; ++i) {
            const double d = data.x[static_cast<std::size_t>(i)] - mean;
            variance += data.weight[static_cast<std::size_t>(i)] * d * d;
        }
        mixture.weight[j] = w / data.total;
        mixture.mean[j] = mean;
        mixture.variance[j] = bounded(variance / w, floor, settings);
        begin = ends[j];
    }
    return mixture;
}

class Expectation {
public:
    explicit Expectation(const char* instructions) : kernels_(mixture_kernels(instructions)) {}

    // EM until the mean log-likelihood stands still; afterwards the mixture holds its log-likelihood and ascending means.
    void run(const Data& data, Mixture& mixture, double floor, const MixtureSettings& settings) {
        double before = -std::numeric_limits<double>::infinity();
        for (int n = 0; n < settings.iterations; ++n) {
            const double mean = expect(data, mixture) / data.total;
            maximise(data, mixture, floor, settings);
            if (std::abs(mean - before) < settings.tolerance) break;
            before = mean;
        }
        sort(mixture);
        mixture.log_likelihood = expect(data, mixture);
    }

private:
    double expect(const Data& data, const Mixture& mixture) {
        const std::size_t n = data.x.size();
        work_.resize(n * (most_components + 2));
        std::array<double, most_components> constant, precision;
        for (std::size_t j = 0; j < static_cast<std::size_t>(mixture.components); ++j) {
            const double given[2] = {std::max(mixture.weight[j], 1e-300), 6.283185307179586477 * mixture.variance[j]};
            double log[2];
            kernels_.logarithms(given, 2, log);
            constant[j] = log[0] - 0.5 * log[1];
            precision[j] = 0.5 / mixture.variance[j];
        }
        return kernels_.expect(data.x.data(), data.weight.data(), static_cast<std::ptrdiff_t>(n), mixture.components, constant.data(),
                               precision.data(), mixture.mean.data(), sums_.data(), work_.data());
    }

    void maximise(const Data& data, Mixture& mixture, double floor, const MixtureSettings& settings) {
        for (std::size_t j = 0; j < static_cast<std::size_t>(mixture.components); ++j) {
            const double s0 = sums_[3 * j], s1 = sums_[3 * j + 1], s2 = sums_[3 * j + 2];
            mixture.weight[j] = s0 / data.total;
            if (s0 < 1e-12 * data.total) continue;  // nobody belongs to it: it stays where it is
            const double step = s1 / s0;
            mixture.mean[j] += step;
            mixture.variance[j] = bounded(s2 / s0 - step * step, floor, settings);
        }
    }

    static void sort(Mixture& mixture) {
        std::array<std::size_t, most_components> order;
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.begin() + mixture.components, [&](std::size_t a, std::size_t b) { return mixture.mean[a] < mixture.mean[b]; });
        const Mixture old = mixture;
        for (std::size_t j = 0; j < static_cast<std::size_t>(mixture.components); ++j) {
            mixture.weight[j] = old.weight[order[j]];
            mixture.mean[j] = old.mean[order[j]];
            mixture.variance[j] = old.variance[order[j]];
        }
    }

    const MixtureKernels& kernels_;
    std::vector<double> work_;
    std::array<double, 3 * most_components> sums_;
};

bool admitted(const Mixture& mixture, std::size_t n, const MixtureSettings& settings) {
    for (std::size_t j = 0; j < static_cast<std::size_t>(mixture.components); ++j) {
        if (mixture.weight[j] < settings.least_share || mixture.weight[j] * static_cast<double>(n) < settings.least_count) return false;
        if (j > 0) {
            const double apart = std::sqrt(2.0) * (mixture.mean[j] - mixture.mean[j - 1]) / std::sqrt(mixture.variance[j] + mixture.variance[j - 1]);
            if (settings.separation > 0 && !(apart > settings.separation)) return false;
        }
    }
    return true;
}

double apart(const Mixture& mixture, bool weighted) {
    const std::size_t k = static_cast<std::size_t>(mixture.components);
    if (k < 2) return 0;
    double total = 0, centre = 0, sum = 0;
    for (std::size_t j = 0; j < k; ++j) {
        const double w = weighted ? mixture.weight[j] : 1.0;
        total += w;
        centre += w * mixture.mean[j];
    }
    centre /= total;
    for (std::size_t j = 0; j < k; ++j) {
        const double d = mixture.mean[j] - centre;
        sum += (weighted ? mixture.weight[j] : 1.0) * d * d;
    }
    return std::sqrt(sum / total);
}

double percentile(const std::vector<double>& sorted, double share) {
    const double at = share * static_cast<double>(sorted.size() - 1);
    const std::size_t low = static_cast<std::size_t>(at), high = std::min(low + 1, sorted.size() - 1);
    return sorted[low] + (sorted[high] - sorted[low]) * (at - static_cast<double>(low));
}

void resample(const Data& data, Dispersion& found, double floor, std::uint64_t seed, const MixtureSettings& settings, Expectation& em) {
    Draw draw{seed};
    std::vector<int> times(data.n);
    std::vector<double> drawn;
    Data sample;
    for (int b = 0; b < settings.resamples; ++b) {
        std::fill(times.begin(), times.end(), 0);
        for (std::size_t i = 0; i < data.n; ++i) ++times[draw.below(data.n)];
        sample.clear();
        for (std::size_t i = 0; i < data.n; ++i)
            if (times[i] > 0) sample.add(data.x[i], data.weight[i] * times[i]);
        sample.pad();
        const int k = found.mixture.components;
        if (sample.n < static_cast<std::size_t>(k)) continue;
        Mixture mixture = settings.start_anew ? started(sample, Partitions(sample, k).ends(k), floor, settings) : found.mixture;
        em.run(sample, mixture, floor, settings);
        drawn.push_back(apart(mixture, settings.weighted));
    }
    if (drawn.size() < 2) return;
    double mean = 0, sum = 0;
    for (const double d : drawn) mean += d;
    mean /= static_cast<double>(drawn.size());
    for (const double d : drawn) sum += (d - mean) * (d - mean);
    std::sort(drawn.begin(), drawn.end());
    found.lower = percentile(drawn, 0.025);
    found.upper = percentile(drawn, 0.975);
    found.error = std::sqrt(sum / static_cast<double>(drawn.size() - 1));
}

}  // namespace

Dispersion dispersion(std::span<const double> values, std::span<const double> weights, double floor, std::uint64_t seed,
                      const MixtureSettings& settings, const char* instructions) {
    if (settings.most < 1 || settings.most > most_components) throw std::invalid_argument("a mixture has 1 to 4 components");
    Dispersion found{nan, nan, nan, nan, {}};
    const std::size_t n = values.size();
    if (n < 2) return found;
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    double mean_weight = 0;
    for (const double w : weights) mean_weight += w;
    mean_weight /= static_cast<double>(n);
    Data data;
    int distinct = 0;
    for (std::size_t i = 0; i < n; ++i) {
        if (i == 0 || values[order[i]] != values[order[i - 1]]) ++distinct;
        data.add(values[order[i]], weights[order[i]] / mean_weight);
    }
    data.pad();
    if (distinct == 1) {  // every value is the same: nothing is dispersed
        found.value = 0;
        found.mixture.components = 1;
        found.mixture.weight[0] = 1;
        found.mixture.mean[0] = values[0];
        if (settings.one_has_interval && settings.resamples > 0 && n >= static_cast<std::size_t>(settings.least_resampled))
            found.lower = found.upper = found.error = 0;
        return found;
    }
    Expectation em(instructions);
    const int most = std::min({settings.most, static_cast<int>(n) - 1, distinct});
    const Partitions partitions(data, most);
    double least = std::numeric_limits<double>::infinity();
    const double count = static_cast<double>(n);
    double log_count;
    mixture_kernels(instructions).logarithms(&count, 1, &log_count);
    for (int k = 1; k <= most; ++k) {
        Mixture mixture = started(data, partitions.ends(k), floor, settings);
        em.run(data, mixture, floor, settings);
        const double bic = -2 * mixture.log_likelihood + (3 * k - 1) * log_count;
        if (std::isfinite(bic) && bic < least && admitted(mixture, n, settings)) {
            least = bic;
            found.mixture = mixture;
        }
    }
    if (found.mixture.components == 0) return found;
    found.value = apart(found.mixture, settings.weighted);
    const bool enough = settings.resamples > 0 && n >= static_cast<std::size_t>(settings.least_resampled);
    if (enough && found.mixture.components > 1)
        resample(data, found, floor, seed, settings, em);
    else if (enough && settings.one_has_interval)
        found.lower = found.upper = found.error = 0;
    return found;
}

}  // namespace isthmus
