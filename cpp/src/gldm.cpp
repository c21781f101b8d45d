#include "isthmus/features/gldm.hpp"

#include <algorithm>

#include "isthmus/size_matrix.hpp"

namespace isthmus {

namespace {

std::array<double, gldm_names.size()> values(const SizeSums& s) {
    const double n = s.total;
    return {s.entropy, s.size_squares / n, s.size_squares / (n * n), s.size_variance, s.level_squares / n, s.level_variance,
            s.high / n, s.large / n, s.large_high / n, s.large_low / n, s.low / n, s.small / n, s.small_high / n, s.small_low / n};
}

}  // namespace

void count_neighbourhoods(const Region& region, const Kernels& kernels, Workspace& work) {
    const std::size_t n = static_cast<std::size_t>(region.size), cells = static_cast<std::size_t>(work.levels.count + 1) * 27;
    if (work.dependence.size() < n + 64) work.dependence.resize(n + 64);
    work.dependence_counts.assign(cells, 0);
    work.difference_sums.assign(cells, 0);
    const Run *begin = region.runs.data(), *end = begin + region.runs.size();
    const Index row = region.step[1], plane = region.step[0];
    const std::uint8_t *neighbours = region.neighbours.data(), *dependence = work.dependence.data();
    std::uint64_t *counts = work.dependence_counts.data(), *sums = work.difference_sums.data();
    if (work.levels.bits == 8) {
        if (work.neighbour_sum16.size() < n + 64) work.neighbour_sum16.resize(n + 64);
        kernels.dependences8(work.volume<std::uint8_t>(), begin, end, row, plane, work.dependence.data());
        kernels.sums8(work.volume<std::uint8_t>(), begin, end, row, plane, work.neighbour_sum16.data());
        const std::uint16_t* sum = work.neighbour_sum16.data();
        const std::uint32_t* level = work.level_of.data();
        for (std::size_t i = 0; i < n; ++i) {
            const std::uint32_t base = level[i] * 27;
            const int difference = static_cast<int>(level[i]) * neighbours[i] - sum[i];
            ++counts[base + dependence[i]];
            sums[base + neighbours[i]] += static_cast<std::uint64_t>(difference < 0 ? -difference : difference);
        }
        return;
    }
    const std::vector<std::int64_t> value(work.levels.value.begin(), work.levels.value.end());
    auto count_ranks = [&](const auto* volume) {
        for (const Run& run : region.runs)
            for (Index i = 0; i < run.length; ++i) {
                const auto* p = volume + run.offset + i;
                std::int64_t sum = 0;
                for (Index dk = -plane; dk <= plane; dk += plane)
                    for (Index dj = -row; dj <= row; dj += row)
                        for (Index di = -1; di <= 1; ++di) sum += value[p[dk + dj + di]];
                const std::int64_t own = value[*p];
                const std::size_t v = static_cast<std::size_t>(run.start + i);
                const std::int64_t difference = own * neighbours[v] - (sum - own);
                const std::size_t base = static_cast<std::size_t>(*p) * 27;
                ++counts[base + dependence[v]];
                sums[base + neighbours[v]] += static_cast<std::uint64_t>(difference < 0 ? -difference : difference);
            }
    };
    if (work.levels.bits == 16) {
        kernels.dependences16(work.volume<std::uint16_t>(), begin, end, row, plane, work.dependence.data());
        count_ranks(work.volume<std::uint16_t>());
    } else {
        kernels.dependences32(work.volume<std::uint32_t>(), begin, end, row, plane, work.dependence.data());
        count_ranks(work.volume<std::uint32_t>());
    }
}

std::array<double, gldm_names.size()> gldm(const std::vector<std::uint64_t>& counts, const Levels& levels) {
    double by_size[27] = {};
    for (std::uint32_t level = 1; level <= levels.count; ++level)
        for (std::size_t j = 0; j < 27; ++j) by_size[j] += static_cast<double>(counts[level * std::size_t{27} + j]);
    const SizeSums s = size_sums(
        [&](auto add) {
            for (std::uint32_t level = 1; level <= levels.count; ++level)
                for (std::size_t j = 0; j < 27; ++j)
                    if (const std::uint64_t count = counts[level * std::size_t{27} + j]; count > 0) add(level, static_cast<double>(j + 1), count);
        },
        [&](auto add) {
            for (std::size_t j = 0; j < 27; ++j)
                if (by_size[j] > 0) add(static_cast<double>(j + 1), by_size[j]);
        },
        levels.value);
    return values(s);
}

std::array<double, ngldm_names.size()> ngldm(const CountMatrix& dependences, double voxels, const Levels& levels) {
    const SizeSums s = size_sums(dependences, levels.value);
    const double n = s.total;
    std::array<double, ngldm_names.size()> all;
    const auto shared = values(s);
    std::copy(shared.begin(), shared.end(), all.begin());
    all[14] = s.squares / (n * n);
    all[15] = s.level_squares / (n * n);
    all[16] = n / voxels;
    return all;
}

}  // namespace isthmus
