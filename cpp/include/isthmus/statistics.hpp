// Order statistics and moments of a list of values, shared by the families of intensities. No sort of the whole list.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "isthmus/kernels.hpp"
#include "isthmus/sample.hpp"

namespace isthmus {

template <class Value>
void order_statistics(const std::vector<Value>& x, double minimum, double maximum, const std::array<Index, 10>& ranks,
                      std::array<double, 10>& out) {
    constexpr Index bins = 2048;
    const Index n = static_cast<Index>(x.size());
    const double width = maximum - minimum;
    if (!(width > 0)) {
        out.fill(minimum);
        return;
    }
    const double scale = static_cast<double>(bins - 1) / width;
    std::vector<std::uint16_t> bin(x.size());
    for (Index i = 0; i < n; ++i)
        bin[static_cast<std::size_t>(i)] = static_cast<std::uint16_t>(static_cast<int>((static_cast<double>(x[static_cast<std::size_t>(i)]) - minimum) * scale));
    std::array<Index, bins + 1> below{};  // below[b]: values in bins before b
    for (Index i = 0; i < n; ++i) ++below[static_cast<std::size_t>(bin[static_cast<std::size_t>(i)]) + 1];
    for (Index b = 0; b < bins; ++b) below[static_cast<std::size_t>(b + 1)] += below[static_cast<std::size_t>(b)];
    std::array<std::int8_t, bins> wanted;
    wanted.fill(-1);
    std::array<std::vector<double>, 10> members;
    std::array<Index, 10> bin_of{};
    std::int8_t groups = 0;
    for (std::size_t q = 0; q < ranks.size(); ++q) {
        const Index b = std::upper_bound(below.begin(), below.end(), ranks[q]) - below.begin() - 1;
        bin_of[q] = b;
        if (wanted[static_cast<std::size_t>(b)] < 0) {
            wanted[static_cast<std::size_t>(b)] = groups;
            members[static_cast<std::size_t>(groups)].reserve(static_cast<std::size_t>(below[static_cast<std::size_t>(b + 1)] - below[static_cast<std::size_t>(b)]));
            ++groups;
        }
    }
    for (Index i = 0; i < n; ++i) {
        const std::int8_t g = wanted[bin[static_cast<std::size_t>(i)]];
        if (g >= 0) members[static_cast<std::size_t>(g)].push_back(static_cast<double>(x[static_cast<std::size_t>(i)]));
    }
    for (std::int8_t g = 0; g < groups; ++g) {
        std::vector<double>& m = members[static_cast<std::size_t>(g)];
        const auto [low, high] = std::minmax_element(m.begin(), m.end());
        if (*low < *high) std::sort(m.begin(), m.end());
    }
    for (std::size_t q = 0; q < ranks.size(); ++q) {
        const std::size_t b = static_cast<std::size_t>(bin_of[q]);
        out[q] = members[static_cast<std::size_t>(wanted[b])][static_cast<std::size_t>(ranks[q] - below[b])];
    }
}

// numpy.percentile, linear interpolation
struct Percentiles {
    double p10, p25, p50, p75, p90;
};

// `order_statistics(ranks, out)` gives the order statistics at ascending ranks.
template <class Order>
Percentiles percentiles(Index n, const Order& order_statistics) {
    const double quantile[5] = {0.10, 0.25, 0.5, 0.75, 0.90};
    std::array<Index, 10> ranks{};
    std::array<double, 10> order{};
    double fraction[5];
    for (std::size_t q = 0; q < 5; ++q) {
        const double position = quantile[q] * static_cast<double>(n - 1);
        const double whole = std::floor(position);
        fraction[q] = position - whole;
        ranks[2 * q] = static_cast<Index>(whole);
        ranks[2 * q + 1] = std::min(ranks[2 * q] + 1, n - 1);
    }
    order_statistics(ranks, order);
    double value[5];
    for (std::size_t q = 0; q < 5; ++q) {
        const double a = order[2 * q], b = order[2 * q + 1], t = fraction[q];
        value[q] = t >= 0.5 ? b - (b - a) * (1 - t) : a + (b - a) * t;
    }
    return {value[0], value[1], value[2], value[3], value[4]};
}

struct Statistics {
    double mean, robust;
    Moments moments;
    Percentiles percentile;
};

template <class Value, class Sum, class Moment, class Robust>
Statistics statistics(const std::vector<Value>& x, double minimum, double maximum, Sum sum, Moment moments, Robust robust) {
    Statistics s{};
    const Index n = static_cast<Index>(x.size());
    s.mean = minimum == maximum ? minimum : sum(x.data(), n) / static_cast<double>(n);
    s.moments = moments(x.data(), n, s.mean);
    s.percentile = percentiles(n, [&](const auto& ranks, auto& order) { order_statistics(x, minimum, maximum, ranks, order); });
    double total = 0, count = 0;
    robust(x.data(), n, s.percentile.p10, s.percentile.p90, 0.0, false, &total, &count);
    if (minimum == maximum) return s;  // robust deviation 0
    const double centre = total / count;
    robust(x.data(), n, s.percentile.p10, s.percentile.p90, centre, true, &total, &count);
    s.robust = total / count;
    return s;
}

// The same from how often each whole number occurs: every distinct value is looked at once.
inline Statistics statistics_of_whole(const std::vector<std::uint32_t>& occurs, double minimum, Index n) {
    struct Value {
        double value, voxels;
        Index below;  // voxels of smaller values
    };
    std::vector<Value> values;
    Index seen = 0;
    Statistics s{};
    double total = 0;
    for (std::size_t v = 0; v < occurs.size(); ++v)
        if (occurs[v] > 0) {
            values.push_back({minimum + static_cast<double>(v), static_cast<double>(occurs[v]), seen});
            total += values.back().value * values.back().voxels;
            seen += occurs[v];
        }
    s.mean = total / static_cast<double>(n);
    for (const Value& x : values) {
        const double d = x.value - s.mean, square = d * d;
        s.moments.second += x.voxels * square;
        s.moments.third += x.voxels * (square * d);
        s.moments.fourth += x.voxels * (square * square);
        s.moments.absolute += x.voxels * std::abs(d);
        s.moments.energy += x.voxels * (x.value * x.value);
    }
    s.percentile = percentiles(n, [&](const auto& ranks, auto& order) {
        for (std::size_t q = 0; q < order.size(); ++q)
            order[q] = (std::upper_bound(values.begin(), values.end(), ranks[q], [](Index rank, const Value& x) { return rank < x.below; }) - 1)->value;
    });
    if (values.size() == 1) return s;  // robust deviation 0
    auto inside = [&](const auto& add) {
        for (const Value& x : values)
            if (x.value >= s.percentile.p10 && x.value <= s.percentile.p90) add(x);
    };
    double sum = 0, count = 0, deviation = 0;
    inside([&](const Value& x) { sum += x.voxels * x.value, count += x.voxels; });
    inside([&](const Value& x) { deviation += x.voxels * std::abs(x.value - sum / count); });
    s.robust = deviation / count;
    return s;
}

inline Statistics statistics(const Sample& sample, const Kernels& kernels) {
    if (!sample.whole.empty()) return statistics_of_whole(sample.whole, sample.minimum, static_cast<Index>(sample.single ? sample.f32.size() : sample.f64.size()));
    return sample.single ? statistics(sample.f32, sample.minimum, sample.maximum, kernels.sum32, kernels.moments32, kernels.robust32)
                         : statistics(sample.f64, sample.minimum, sample.maximum, kernels.sum64, kernels.moments64, kernels.robust64);
}

}  // namespace isthmus
