#include "isthmus/features/glszm.hpp"

#include <algorithm>
#include <cstdlib>

#include "isthmus/pairs.hpp"
#include "isthmus/zone_values.hpp"

namespace isthmus {

namespace {

// For each set of equal preceding neighbours (13 bits): one representative per group of mutually connected ones. The others of a
// group were joined to it when they were visited themselves.
struct Representatives {
    std::uint8_t count[8192];
    std::uint8_t first[8192][4];

    Representatives() {
        bool adjacent[13][13];
        for (int a = 0; a < 13; ++a)
            for (int b = 0; b < 13; ++b) {
                adjacent[a][b] = true;
                for (int axis = 0; axis < 3; ++axis)
                    adjacent[a][b] = adjacent[a][b] && std::abs(direction_steps[a][axis] - direction_steps[b][axis]) <= 1;
            }
        for (unsigned code = 0; code < 8192; ++code) {
            count[code] = 0;
            for (auto& f : first[code]) f = 0;
            unsigned left = code;
            for (int a = 0; a < 13; ++a) {
                if ((left >> a & 1u) == 0) continue;
                unsigned group = 1u << a, before = 0;
                while (group != before) {
                    before = group;
                    for (int x = 0; x < 13; ++x)
                        if (group >> x & 1u)
                            for (int y = 0; y < 13; ++y)
                                if ((code >> y & 1u) && adjacent[x][y]) group |= 1u << y;
                }
                left &= ~group;
                first[code][count[code]++] = static_cast<std::uint8_t>(a);
            }
        }
    }
};

const Representatives& representatives() {
    static const Representatives table;  // made at first use, never changed
    return table;
}

// Labels every voxel, keeps the size and level of every label; returns how many labels there are. Only the neighbours in
// `looked_at` (bit n: direction n) connect.
template <class Level>
std::size_t label(const Region& region, Workspace& work, unsigned looked_at) {
    const Representatives& table = representatives();
    const std::array<Index, 13> back = direction_offsets(region);
    const Level* level = work.volume<Level>();
    if (work.labels.size() < static_cast<std::size_t>(region.volume)) work.labels.resize(static_cast<std::size_t>(region.volume));
    const std::size_t most = static_cast<std::size_t>(region.size);
    if (work.parent.size() < most) work.parent.resize(most), work.zone_size.resize(most), work.zone_level.resize(most);
    std::uint32_t *labels = work.labels.data(), *parent = work.parent.data(), *size = work.zone_size.data();
    std::uint32_t next = 0;
    auto root = [&](std::uint32_t a) {
        while (parent[a] != a) {
            parent[a] = parent[parent[a]];
            a = parent[a];
        }
        return a;
    };
    for (const Run& run : region.runs) {
        const std::uint8_t *low = work.code_low.data() + run.start, *high = work.code_high.data() + run.start;
        for (Index i = 0; i < run.length; ++i) {
            const unsigned code = (low[i] | static_cast<unsigned>(high[i]) << 8) & looked_at;
            const Index v = run.offset + i;
            if (code == 0) {
                parent[next] = next;
                size[next] = 1;
                work.zone_level[next] = level[v];
                labels[v] = next++;
                continue;
            }
            const std::uint32_t own = labels[v - back[table.first[code][0]]];
            ++size[own];
            labels[v] = own;
            if (table.count[code] == 1) continue;
            std::uint32_t a = root(own);
            for (int r = 1; r < table.count[code]; ++r) {
                const std::uint32_t b = root(labels[v - back[table.first[code][r]]]);
                if (a < b) {
                    parent[b] = a;
                } else if (b < a) {
                    parent[a] = b;
                    a = b;
                }
            }
        }
    }
    return next;
}

std::size_t label_zones(const Region& region, const Kernels& kernels, Workspace& work, unsigned looked_at) {
    const std::array<Index, 13> back = direction_offsets(region);
    const std::size_t n = static_cast<std::size_t>(region.size + 64);
    if (work.code_low.size() < n) work.code_low.resize(n), work.code_high.resize(n);
    const Run *begin = region.runs.data(), *end = begin + region.runs.size();
    if (work.levels.bits == 8) {
        kernels.codes8(work.volume<std::uint8_t>(), begin, end, back.data(), work.code_low.data(), work.code_high.data());
        return label<std::uint8_t>(region, work, looked_at);
    }
    if (work.levels.bits == 16) {
        kernels.codes16(work.volume<std::uint16_t>(), begin, end, back.data(), work.code_low.data(), work.code_high.data());
        return label<std::uint16_t>(region, work, looked_at);
    }
    kernels.codes32(work.volume<std::uint32_t>(), begin, end, back.data(), work.code_low.data(), work.code_high.data());
    return label<std::uint32_t>(region, work, looked_at);
}

constexpr unsigned all_neighbours = (1u << 13) - 1;

}  // namespace

void count_zones(const Region& region, const Kernels& kernels, Workspace& work) {
    const std::size_t labels = label_zones(region, kernels, work, all_neighbours);
    constexpr std::uint32_t small = 64;
    const std::uint32_t levels = work.levels.count;
    std::vector<std::uint32_t> table(static_cast<std::size_t>(levels + 1) * small, 0);
    std::vector<std::pair<std::uint32_t, std::uint32_t>> large;
    // a parent is always smaller than its child, so one sweep downwards collects every zone
    for (std::size_t a = labels; a-- > 0;) {
        const std::uint32_t parent = work.parent[a], size = work.zone_size[a];
        if (parent != a)
            work.zone_size[parent] += size;
        else if (size < small)
            ++table[static_cast<std::size_t>(size) * (levels + 1) + work.zone_level[a]];
        else
            large.push_back({size, work.zone_level[a]});
    }
    work.zones.clear();
    for (std::uint32_t size = 1; size < small; ++size)
        for (std::uint32_t level = 1; level <= levels; ++level) {
            const std::uint32_t count = table[static_cast<std::size_t>(size) * (levels + 1) + level];
            if (count > 0) work.zones.push_back({level, size, count});
        }
    std::sort(large.begin(), large.end());
    for (std::size_t i = 0; i < large.size();) {
        std::size_t j = i;
        while (j < large.size() && large[j] == large[i]) ++j;
        work.zones.push_back({large[i].second, large[i].first, j - i});
        i = j;
    }
}

std::array<double, glszm_names.size()> glszm(const std::vector<ZoneCell>& zones, const Levels& levels) {
    const SizeSums s = size_sums(
        [&](auto add) {
            for (const ZoneCell& zone : zones) add(zone.level, static_cast<double>(zone.size), zone.count);
        },
        [&](auto add) {
            for (std::size_t i = 0; i < zones.size();) {
                double n = 0;
                std::size_t j = i;
                for (; j < zones.size() && zones[j].size == zones[i].size; ++j) n += static_cast<double>(zones[j].count);
                add(static_cast<double>(zones[i].size), n);
                i = j;
            }
        },
        levels.value);
    return zone_values(s, s.voxels);
}

std::array<double, glszm_names.size()> glszm(const CountMatrix& zones, const Levels& levels) {
    const SizeSums s = size_sums(zones, levels.value);
    return zone_values(s, s.voxels);
}

std::vector<Zone> find_zones(const Region& region, const Kernels& kernels, Workspace& work, int slice_axis,
                             std::span<const std::uint32_t> distance) {
    unsigned looked_at = all_neighbours;
    for (int d = 0; d < 13; ++d)
        if (slice_axis >= 0 && direction_steps[d][slice_axis] != 0) looked_at &= ~(1u << d);
    const std::size_t labels = label_zones(region, kernels, work, looked_at);
    std::vector<Zone> zones;
    std::vector<std::uint32_t> zone_of(labels);
    for (std::size_t a = 0; a < labels; ++a) {  // a parent is smaller than its child
        if (work.parent[a] != a) {
            zone_of[a] = zone_of[work.parent[a]];
            continue;
        }
        zone_of[a] = static_cast<std::uint32_t>(zones.size());
        zones.push_back({work.zone_level[a], 0, 0, ~0u});
    }
    for (const Run& run : region.runs) {
        const std::array<Index, 3> first = region.coordinates(run.offset);
        for (Index i = 0; i < run.length; ++i) {
            const Index v = run.offset + i;
            Zone& zone = zones[zone_of[work.labels[static_cast<std::size_t>(v)]]];
            ++zone.size;
            if (slice_axis >= 0) zone.slice = slice_axis == 2 ? first[2] + i : first[static_cast<std::size_t>(slice_axis)];
            if (!distance.empty()) zone.distance = std::min(zone.distance, distance[static_cast<std::size_t>(v)]);
        }
    }
    return zones;
}

}  // namespace isthmus
