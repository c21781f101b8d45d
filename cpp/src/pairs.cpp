#include "isthmus/pairs.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

namespace isthmus {

std::array<Index, 13> direction_offsets(const Region& region) {
    std::array<Index, 13> offsets{};
    for (std::size_t d = 0; d < 13; ++d)
        offsets[d] = direction_steps[d][0] * region.step[0] + direction_steps[d][1] * region.step[1] + direction_steps[d][2];
    return offsets;
}

namespace {

// Two voxels of the region on one line along the direction, with or without a gap between them.
bool has_line(const Region& region, const int* step) {
    std::unordered_set<std::uint64_t> seen;
    const int axis = step[0] != 0 ? 0 : step[1] != 0 ? 1 : 2;
    for (const Run& run : region.runs)
        for (Index x = 0; x < run.length; ++x) {
            const Index at = run.offset + x;
            const Index c[3] = {at / region.step[0], at % region.step[0] / region.step[1], at % region.step[1]};
            const Index t = c[axis] * step[axis];  // step[axis] is +1
            std::uint64_t key = 0;
            for (int a = 0; a < 3; ++a) key = key * 200000 + static_cast<std::uint64_t>(c[a] - t * step[a] + 70000);
            if (!seen.insert(key).second) return true;
        }
    return false;
}

// Cells of a direction's table: the triangle (high, low), then run positions (level, 2 ... longest side).
struct Layout {
    std::uint32_t levels, stride;
    std::uint64_t triangle;
    std::uint64_t cells() const { return triangle + static_cast<std::uint64_t>(levels + 1) * stride; }
};

// Runs and equal pairs of one level from `position[r]`, r = 2 ... last: how many voxels are the r-th of their run.
void add_level(std::uint32_t level, const std::uint32_t* position, std::uint32_t last, std::uint64_t voxels, DirectionCounts& out) {
    std::uint64_t later = 0;
    for (std::uint32_t r = 2; r <= last; ++r) later += position[r];
    if (later > 0) out.pairs.push_back({level, level, static_cast<std::uint32_t>(later)});
    std::uint64_t at = voxels - later;
    for (std::uint32_t r = 1; at > 0; ++r) {
        const std::uint64_t next = r + 1 <= last ? position[r + 1] : 0;
        if (at > next) out.runs.push_back({level, r, static_cast<std::uint32_t>(at - next)});
        at = next;
    }
}

void read_dense(const std::vector<std::uint32_t>& table, const Layout& layout, const Levels& levels, DirectionCounts& out) {
    for (std::uint32_t high = 2; high <= layout.levels; ++high) {
        if (levels.voxels[high] == 0) continue;
        const std::uint32_t* row = table.data() + static_cast<std::uint64_t>(high) * (high + 1) / 2;
        for (std::uint32_t low = 1; low < high; ++low)
            if (row[low] > 0) out.pairs.push_back({high, low, row[low]});
    }
    for (std::uint32_t level = 1; level <= layout.levels; ++level)
        if (levels.voxels[level] > 0)
            add_level(level, table.data() + layout.triangle + static_cast<std::uint64_t>(level) * layout.stride, layout.stride - 1,
                      levels.voxels[level], out);
}

// The same from a list of cells, for so many levels that a table would be mostly empty.
template <class Cell>
void read_sparse(std::vector<Cell>& cells, const Layout& layout, const Levels& levels, DirectionCounts& out) {
    std::sort(cells.begin(), cells.end());
    std::vector<std::uint32_t> position(layout.stride + 1, 0);
    std::vector<std::vector<std::pair<std::uint32_t, std::uint32_t>>> equal(layout.levels + 1);
    std::uint32_t high = 0;
    for (std::size_t i = 0; i < cells.size();) {
        std::size_t j = i;
        while (j < cells.size() && cells[j] == cells[i]) ++j;
        const std::uint32_t count = static_cast<std::uint32_t>(j - i);
        const std::uint64_t cell = cells[i];
        i = j;
        if (cell < layout.triangle) {
            while (static_cast<std::uint64_t>(high + 1) * (high + 2) / 2 <= cell) ++high;
            const std::uint32_t low = static_cast<std::uint32_t>(cell - static_cast<std::uint64_t>(high) * (high + 1) / 2);
            if (low > 0) out.pairs.push_back({high, low, count});
        } else {
            const std::uint64_t rest = cell - layout.triangle;
            equal[rest / layout.stride].push_back({static_cast<std::uint32_t>(rest % layout.stride), count});
        }
    }
    for (std::uint32_t level = 1; level <= layout.levels; ++level) {
        std::uint32_t last = 1;
        for (const auto& [r, count] : equal[level]) {
            position[r] = count;
            last = std::max(last, r);
        }
        add_level(level, position.data(), last, levels.voxels[level], out);
        for (const auto& [r, count] : equal[level]) position[r] = 0;
    }
}

template <class Level, class Position, class Cell>
struct Pass {
    const Region& region;
    Workspace& work;
    const Layout layout;
    std::vector<Position>* position;
    std::vector<Cell>* index;
    void (*generate)(const Level*, const Run*, const Run*, int, const Index*, Position* const*, Cell* const*, std::uint64_t, std::uint64_t);
    const bool dense;

    void operator()() {
        const std::array<Index, 13> offsets = direction_offsets(region);
        const Level* level = work.volume<Level>();
        Index widest = 0;
        const Index planes = region.shape[0];
        auto plane_size = [&](Index k) {
            const Index b = region.plane_begin[static_cast<std::size_t>(k)], e = region.plane_begin[static_cast<std::size_t>(k + 1)];
            return b == e ? Index{0}
                          : region.runs[static_cast<std::size_t>(e - 1)].start + region.runs[static_cast<std::size_t>(e - 1)].length -
                                region.runs[static_cast<std::size_t>(b)].start;
        };
        for (Index k = 0; k < planes; ++k) widest = std::max(widest, plane_size(k));
        for (int q = 0; q < 4; ++q)
            if (position[q].size() < static_cast<std::size_t>(region.volume + 2 * spare))
                position[q].resize(static_cast<std::size_t>(region.volume + 2 * spare));
        for (int q = 0; q < 5; ++q)
            if (index[q].size() < static_cast<std::size_t>(widest + 64)) index[q].resize(static_cast<std::size_t>(widest + 64));
        std::array<std::vector<Cell>, 5> list;

        // Directions 1-4 with the x direction, then 5-8, then 9-12: each its own table, so that no two neighbouring
        // increments meet in one cell.
        for (std::size_t group = 0; group < 3; ++group) {
            const bool rows = group == 0;
            const Index* four = offsets.data() + 1 + 4 * group;
            const Index back[5] = {four[0], four[1], four[2], four[3], offsets[0]};
            Position* r[5] = {};
            Cell* out[5];
            for (int q = 0; q < 4; ++q) r[q] = position[q].data() + spare;
            for (int q = 0; q < 5; ++q) out[q] = index[q].data();
            if (dense)
                for (int q = 0; q < (rows ? 5 : 4); ++q) work.table[q].assign(layout.cells(), 0);
            for (Index k = 0; k < planes; ++k) {
                const Run* begin = region.runs.data() + region.plane_begin[static_cast<std::size_t>(k)];
                const Run* end = region.runs.data() + region.plane_begin[static_cast<std::size_t>(k + 1)];
                const Index n = plane_size(k);
                if (n == 0) continue;
                generate(level, begin, end, rows ? 5 : 4, back, r, out, layout.triangle, layout.stride);
                if (dense) {
                    std::uint32_t *t0 = work.table[0].data(), *t1 = work.table[1].data(), *t2 = work.table[2].data(), *t3 = work.table[3].data();
                    const Cell *i0 = out[0], *i1 = out[1], *i2 = out[2], *i3 = out[3];
                    if (rows) {
                        std::uint32_t* t4 = work.table[4].data();
                        const Cell* i4 = out[4];
                        for (Index i = 0; i < n; ++i) ++t0[i0[i]], ++t1[i1[i]], ++t2[i2[i]], ++t3[i3[i]], ++t4[i4[i]];
                    } else {
                        for (Index i = 0; i < n; ++i) ++t0[i0[i]], ++t1[i1[i]], ++t2[i2[i]], ++t3[i3[i]];
                    }
                } else {
                    for (std::size_t q = 0; q < (rows ? 5u : 4u); ++q) list[q].insert(list[q].end(), out[q], out[q] + n);
                }
            }
            for (std::size_t q = 0; q < (rows ? 5u : 4u); ++q) {
                const std::size_t d = q == 4 ? 0 : 1 + 4 * group + q;
                DirectionCounts& counts = work.directions[d];
                counts.pairs.clear();
                counts.runs.clear();
                if (dense)
                    read_dense(work.table[q], layout, work.levels, counts);
                else {
                    read_sparse(list[q], layout, work.levels, counts);
                    list[q].clear();
                }
                counts.has_line = !counts.pairs.empty() || has_line(region, direction_steps[d]);
            }
        }
    }
};

}  // namespace

void count_pairs_and_runs(const Region& region, const Kernels& kernels, Workspace& work) {
    const std::uint32_t k = work.levels.count;
    const Layout layout{k, static_cast<std::uint32_t>(region.longest_side) + 1,
                        (std::uint64_t{k} + 1) * (std::uint64_t{k} + 2) / 2};
    const bool dense = layout.cells() <= std::uint64_t{2} << 20;
    if (work.levels.bits == 8)
        Pass<std::uint8_t, std::uint8_t, std::uint16_t>{region, work, layout, work.run8, work.index16, kernels.pairs8, true}();
    else if (work.levels.bits == 16)
        Pass<std::uint16_t, std::uint16_t, std::uint32_t>{region, work, layout, work.run16, work.index32, kernels.pairs16, dense}();
    else
        Pass<std::uint32_t, std::uint32_t, std::uint64_t>{region, work, layout, work.run32, work.index64, kernels.pairs32, false}();
}

}  // namespace isthmus
