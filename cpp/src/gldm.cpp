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
    const Run *begin = region.runs.data(), *end = begin + region.runs.size();
    const Index row = region.step[1], plane = region.step[0];
    const std::uint8_t* neighbours = region.neighbours.data();
    if (work.levels.bits == 8) {
        for (std::vector<std::uint16_t>* list : {&work.dependence_cell, &work.tone_cell, &work.difference})
            if (list->size() < n + 64) list->resize(n + 64);
        const std::uint16_t *dependence = work.dependence_cell.data(), *tone = work.tone_cell.data(), *difference = work.difference.data();
        kernels.neighbourhoods8(work.volume<std::uint8_t>(), neighbours, begin, end, row, plane, work.dependence_cell.data(),
                                work.tone_cell.data(), work.difference.data());
        // an increment waits for the one before it in its cell: two tables take turns
        work.dependence_counts.assign(2 * cells, 0);
        work.difference_sums.assign(2 * cells, 0);
        std::uint64_t *counts = work.dependence_counts.data(), *sums = work.difference_sums.data();
        std::size_t i = 0;
        for (; i + 1 < n; i += 2) {
            ++counts[dependence[i]];
            sums[tone[i]] += difference[i];
            ++counts[cells + dependence[i + 1]];
            sums[cells + tone[i + 1]] += difference[i + 1];
        }
        for (; i < n; ++i) {
            ++counts[dependence[i]];
            sums[tone[i]] += difference[i];
        }
        for (std::size_t c = 0; c < cells; ++c) {
            counts[c] += counts[cells + c];
            sums[c] += sums[cells + c];
        }
        work.dependence_counts.resize(cells);
        work.difference_sums.resize(cells);
        return;
    }
    if (work.dependence.size() < n + 64) work.dependence.resize(n + 64);
    work.dependence_counts.assign(cells, 0);
    work.difference_sums.assign(cells, 0);
    const std::uint8_t* dependence = work.dependence.data();
    std::uint64_t *counts = work.dependence_counts.data(), *sums = work.difference_sums.data();
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
