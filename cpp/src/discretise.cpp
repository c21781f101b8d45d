#include "isthmus/discretise.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace isthmus {

namespace {

// The bin of a value were all bins as wide as the mean one; the last may be wider than the others (a fixed bin number), so it does
// not count. What falls on an edge goes above it.
struct EvenBins {
    explicit EvenBins(std::span<const double> edges)
        : first(edges.front()),
          inverse(edges.size() > 2 ? static_cast<double>(edges.size() - 2) / (edges[edges.size() - 2] - edges.front()) : 1 / (edges[1] - edges[0])),
          last(static_cast<double>(edges.size() - 2)) {}

    std::uint32_t operator()(double value) const {
        double bin = (value - first) * inverse + 1e-9;
        bin = bin > 0 ? bin : 0;
        bin = bin < last ? bin : last;
        return static_cast<std::uint32_t>(static_cast<std::int32_t>(bin));
    }

    const double first, inverse, last;
};

// Number of edges <= value. The guess is checked against the true edges, so the result is exact.
template <class Value>
void count_edges_below(const std::vector<Value>& x, std::span<const double> edges, std::vector<std::uint32_t>& level) {
    const EvenBins guess(edges);
    const double* e = edges.data();
    level.resize(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) level[i] = guess(static_cast<double>(x[i]));  // vectorised: no branch, no lookup
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double v = static_cast<double>(x[i]);
        const std::uint32_t k = level[i];
        const bool right = (v >= e[k]) & (v < e[k + 1]);
        level[i] = static_cast<std::uint32_t>(right ? k + 1 : std::upper_bound(edges.begin(), edges.end(), v) - edges.begin());
    }
}

// The same for whole numbers: the guess is checked once for each that occurs. Returns how often each level occurs, or nothing (and
// leaves `level` as it was) where a guess is wrong.
template <class Value>
std::vector<std::uint32_t> count_edges_below_whole(const std::vector<Value>& x, const Sample& sample, std::span<const double> edges,
                                                   std::vector<std::uint32_t>& level) {
    const EvenBins guess(edges);
    std::vector<std::uint32_t> occurs(edges.size() + 1, 0);
    for (std::size_t n = 0; n < sample.whole.size(); ++n) {
        if (sample.whole[n] == 0) continue;
        const double v = sample.minimum + static_cast<double>(n);
        const std::uint32_t k = guess(v);
        if (!(v >= edges[k] && v < edges[k + 1])) return {};
        occurs[k + 1] += sample.whole[n];
    }
    level.resize(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) level[i] = guess(static_cast<double>(x[i])) + 1;
    return occurs;
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

// Writes the level volume and `levels` from `level_of`, in which no level is 0.
void place(const Region& region, const std::vector<std::uint32_t>& occurs, Workspace& work) {
    Levels& levels = work.levels;
    levels.highest = static_cast<std::uint32_t>(occurs.size() - 1);
    while (occurs[levels.highest] == 0) --levels.highest;

    // triangle of pairs + table of run positions must be addressed by 16 bits
    const std::uint64_t k = levels.highest, stride = static_cast<std::uint64_t>(region.longest_side) + 1;
    const bool narrow = k <= 255 && region.longest_side < 255 && (k + 1) * (k + 2) / 2 + (k + 1) * stride < 65536;
    levels.value.assign(1, 0.0);
    levels.voxels.assign(1, 0);
    if (narrow) {
        levels.bits = 8;
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
    levels.bits = levels.count <= 65535 ? 16 : 32;
    for (std::uint32_t& level : work.level_of) level = rank[level];
    if (levels.bits == 16)
        scatter(region, work.level_of, work.wide);
    else
        scatter(region, work.level_of, work.huge);
}

void check(std::span<const double> edges) {
    if (edges.size() < 2) throw std::invalid_argument("at least two bin edges are needed");
    for (std::size_t i = 1; i < edges.size(); ++i)
        if (!(edges[i] > edges[i - 1])) throw std::invalid_argument("bin edges must ascend");
}

}  // namespace

void digitise(const Sample& sample, std::span<const double> edges, std::vector<std::uint32_t>& level) {
    check(edges);
    if (sample.single)
        count_edges_below(sample.f32, edges, level);
    else
        count_edges_below(sample.f64, edges, level);
}

void discretise(const Region& region, const Sample& sample, std::span<const double> edges, Workspace& work) {
    check(edges);
    if (!(sample.minimum >= edges.front())) throw std::invalid_argument("the first bin edge lies above the smallest intensity");
    std::vector<std::uint32_t> occurs;
    if (!sample.whole.empty())
        occurs = sample.single ? count_edges_below_whole(sample.f32, sample, edges, work.level_of)
                               : count_edges_below_whole(sample.f64, sample, edges, work.level_of);
    if (occurs.empty()) {
        digitise(sample, edges, work.level_of);
        occurs = occurrences(work.level_of, edges.size() + 1);
    }
    place(region, occurs, work);
}

void place_levels(const Region& region, std::span<const std::uint32_t> levels, Workspace& work) {
    if (levels.size() != static_cast<std::size_t>(region.size))
        throw std::invalid_argument(std::to_string(levels.size()) + " grey levels for a region of " + std::to_string(region.size) +
                                    " voxels: one a voxel is needed, in memory order");
    const auto [least, most] = std::minmax_element(levels.begin(), levels.end());
    if (*least == 0) throw std::invalid_argument("a voxel of the region has grey level 0; levels begin at 1");
    if (*most > highest_level)
        throw std::invalid_argument("the highest grey level is " + std::to_string(*most) + "; at most " + std::to_string(highest_level) +
                                    " are possible: take wider bins");
    work.level_of.assign(levels.begin(), levels.end());
    place(region, occurrences(work.level_of, static_cast<std::size_t>(*most) + 1), work);
}

}  // namespace isthmus
