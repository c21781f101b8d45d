#include "isthmus/discretise.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace isthmus {

namespace {

// Number of edges <= value. The guess from the mean bin width is checked against the true edges, so the result is exact.
template <class Value>
void digitise(const std::vector<Value>& x, std::span<const double> edges, std::vector<std::uint32_t>& level) {
    const Index bins = static_cast<Index>(edges.size()) - 1;
    const double first = edges.front(), inverse = static_cast<double>(bins) / (edges.back() - first);
    const double last_bin = static_cast<double>(bins - 1);
    const double* e = edges.data();
    level.resize(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {  // vectorised: no branch, no lookup
        double guess = (static_cast<double>(x[i]) - first) * inverse;
        guess = guess > 0 ? guess : 0;
        guess = guess < last_bin ? guess : last_bin;
        level[i] = static_cast<std::uint32_t>(static_cast<std::int32_t>(guess));
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double v = static_cast<double>(x[i]);
        const std::uint32_t k = level[i];
        const bool right = (v >= e[k]) & (v < e[k + 1]);
        level[i] = static_cast<std::uint32_t>(right ? k + 1 : std::upper_bound(edges.begin(), edges.end(), v) - edges.begin());
    }
}

// How often each level occurs. Neighbours often have the same level, and an increment waits for the one before it in its cell; so
// four tables take turns, unless they would be large.
std::vector<std::uint32_t> occurrences(const std::vector<std::uint32_t>& level, std::size_t levels) {
    const std::size_t tables = levels < 4096 ? 4 : 1;
    std::vector<std::uint32_t> count(tables * levels, 0);
    for (std::size_t i = 0; i < level.size(); ++i) ++count[(i & (tables - 1)) * levels + level[i]];
    for (std::size_t i = levels; i < count.size(); ++i) count[i % levels] += count[i];
    count.resize(levels);
    return count;
}

template <class Level>
void scatter(const Region& region, const std::vector<std::uint32_t>& level, std::vector<Level>& volume) {
    volume.assign(static_cast<std::size_t>(region.volume + 2 * spare), 0);
    for (const Run& run : region.runs) {
        const std::uint32_t* p = level.data() + run.start;
        Level* q = volume.data() + spare + run.offset;
        const Index n = run.length;
#pragma GCC ivdep
        for (Index i = 0; i < n; ++i) q[i] = static_cast<Level>(p[i]);
    }
}

}  // namespace

void discretise(const Region& region, const Sample& sample, std::span<const double> edges, Workspace& work) {
    if (edges.size() < 2) throw std::invalid_argument("at least two bin edges are needed");
    for (std::size_t i = 1; i < edges.size(); ++i)
        if (!(edges[i] > edges[i - 1])) throw std::invalid_argument("bin edges must ascend");
    if (!(sample.minimum >= edges.front())) throw std::invalid_argument("the first bin edge lies above the smallest intensity");

    if (sample.single)
        digitise(sample.f32, edges, work.level_of);
    else
        digitise(sample.f64, edges, work.level_of);

    Levels& levels = work.levels;
    const std::vector<std::uint32_t> occurs = occurrences(work.level_of, edges.size() + 1);
    levels.highest = static_cast<std::uint32_t>(edges.size());
    while (occurs[levels.highest] == 0) --levels.highest;

    // triangle of pairs + table of run positions must be addressed by 16 bits
    const std::uint64_t k = levels.highest, stride = static_cast<std::uint64_t>(region.longest_side) + 1;
    levels.narrow = k <= 255 && region.longest_side < 255 && (k + 1) * (k + 2) / 2 + (k + 1) * stride < 65536;
    levels.value.assign(1, 0.0);
    levels.voxels.assign(1, 0);
    if (levels.narrow) {
        levels.count = levels.highest;
        for (std::uint32_t level = 1; level <= levels.highest; ++level) {
            levels.value.push_back(level);
            levels.voxels.push_back(occurs[level]);
        }
        scatter(region, work.level_of, work.narrow);
        return;
    }
    std::vector<std::uint32_t> rank(occurs.size(), 0);
    for (std::uint32_t level = 1; level <= levels.highest; ++level)
        if (occurs[level] > 0) {
            levels.value.push_back(level);
            levels.voxels.push_back(occurs[level]);
            rank[level] = static_cast<std::uint32_t>(levels.value.size() - 1);
        }
    levels.count = static_cast<std::uint32_t>(levels.value.size() - 1);
    if (levels.count > 65535)
        throw std::invalid_argument("the region has " + std::to_string(levels.count) +
                                    " different grey levels; at most 65535 are possible: take wider bins");
    for (std::uint32_t& level : work.level_of) level = rank[level];
    scatter(region, work.level_of, work.wide);
}

}  // namespace isthmus
