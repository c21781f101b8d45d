#include "isthmus/supervoxels.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <queue>
#include <tuple>
#include <unordered_map>

namespace isthmus {

namespace {

struct Centre {
    double k = 0, j = 0, i = 0, value = 0;  // mm and intensity units
    Index voxels = 0;
};

struct Grid {
    std::array<Index, 3> shape;
    std::array<double, 3> spacing;
    std::array<Index, 3> step() const { return {shape[1] * shape[2], shape[2], 1}; }
    Index size() const { return shape[0] * shape[1] * shape[2]; }
};

// Calls visit(offset, k, j, i) for every voxel of the mask inside [low, high), in memory order.
template <class Visit>
void inside(const Grid& grid, const std::uint8_t* mask, const std::array<Index, 3>& low, const std::array<Index, 3>& high, Visit visit) {
    for (Index k = low[0]; k < high[0]; ++k)
        for (Index j = low[1]; j < high[1]; ++j) {
            const Index row = (k * grid.shape[1] + j) * grid.shape[2];
            for (Index i = low[2]; i < high[2]; ++i)
                if (mask[row + i]) visit(row + i, k, j, i);
        }
}

// One centre per cell of a regular lattice of which at least half lies in the mask: mean position and intensity of its voxels. So a
// piece has the volume asked for, also where the mask's edge cuts cells; a mask that fills no cell gets one centre.
std::vector<Centre> seeds(const Grid& grid, const double* values, const std::uint8_t* mask, double side) {
    std::array<Index, 3> cells;
    for (std::size_t a = 0; a < 3; ++a)
        cells[a] = std::max<Index>(1, static_cast<Index>(std::llround(static_cast<double>(grid.shape[a]) * grid.spacing[a] / side)));
    std::vector<Centre> all(static_cast<std::size_t>(cells[0] * cells[1] * cells[2]));
    inside(grid, mask, {0, 0, 0}, grid.shape, [&](Index at, Index k, Index j, Index i) {
        const Index c = (k * cells[0] / grid.shape[0] * cells[1] + j * cells[1] / grid.shape[1]) * cells[2] + i * cells[2] / grid.shape[2];
        Centre& centre = all[static_cast<std::size_t>(c)];
        centre.k += static_cast<double>(k) * grid.spacing[0];
        centre.j += static_cast<double>(j) * grid.spacing[1];
        centre.i += static_cast<double>(i) * grid.spacing[2];
        centre.value += values[at];
        ++centre.voxels;
    });
    std::vector<Centre> found;
    Index least = (grid.size() + 2 * static_cast<Index>(all.size()) - 1) / (2 * static_cast<Index>(all.size()));
    if (std::none_of(all.begin(), all.end(), [&](const Centre& c) { return c.voxels >= least; }))
        least = std::max_element(all.begin(), all.end(), [](const Centre& a, const Centre& b) { return a.voxels < b.voxels; })->voxels;
    for (Centre& c : all) {
        if (c.voxels < std::max<Index>(least, 1)) continue;
        const double n = static_cast<double>(c.voxels);
        found.push_back({c.k / n, c.j / n, c.i / n, c.value / n, c.voxels});
    }
    return found;
}

void assign(const Grid& grid, const double* values, const std::uint8_t* mask, const std::vector<Centre>& centres, double side, double reach,
            double compactness, std::vector<double>& distance, std::vector<std::int32_t>& label) {
    std::fill(distance.begin(), distance.end(), std::numeric_limits<double>::infinity());
    const double space = 1 / (side * side), tone = 1 / (compactness * compactness);
    for (std::size_t c = 0; c < centres.size(); ++c) {
        const Centre& centre = centres[c];
        const double at[3] = {centre.k, centre.j, centre.i};
        std::array<Index, 3> low, high;
        for (std::size_t a = 0; a < 3; ++a) {
            low[a] = std::max<Index>(0, static_cast<Index>(std::ceil((at[a] - reach) / grid.spacing[a])));
            high[a] = std::min(grid.shape[a], static_cast<Index>(std::floor((at[a] + reach) / grid.spacing[a])) + 1);
        }
        inside(grid, mask, low, high, [&](Index v, Index k, Index j, Index i) {
            const double dk = static_cast<double>(k) * grid.spacing[0] - centre.k, dj = static_cast<double>(j) * grid.spacing[1] - centre.j;
            const double di = static_cast<double>(i) * grid.spacing[2] - centre.i, dv = values[v] - centre.value;
            const double d = (dk * dk + dj * dj + di * di) * space + dv * dv * tone;
            if (d < distance[static_cast<std::size_t>(v)]) {
                distance[static_cast<std::size_t>(v)] = d;
                label[static_cast<std::size_t>(v)] = static_cast<std::int32_t>(c) + 1;
            }
        });
    }
}

double from_centre(const Grid& grid, const Centre& centre, const double* values, Index v, double space, double tone) {
    const std::array<Index, 3> step = grid.step();
    const double dk = static_cast<double>(v / step[0]) * grid.spacing[0] - centre.k;
    const double dj = static_cast<double>(v / step[1] % grid.shape[1]) * grid.spacing[1] - centre.j;
    const double di = static_cast<double>(v % grid.shape[2]) * grid.spacing[2] - centre.i, dv = values[v] - centre.value;
    return (dk * dk + dj * dj + di * di) * space + dv * dv * tone;
}

std::vector<Centre> means(const Grid& grid, const double* values, const std::uint8_t* mask, const std::vector<std::int32_t>& label,
                          const std::vector<Centre>& before) {
    std::vector<Centre> sum(before.size());
    inside(grid, mask, {0, 0, 0}, grid.shape, [&](Index v, Index k, Index j, Index i) {
        const std::int32_t l = label[static_cast<std::size_t>(v)];
        if (l == 0) return;
        Centre& c = sum[static_cast<std::size_t>(l - 1)];
        c.k += static_cast<double>(k) * grid.spacing[0];
        c.j += static_cast<double>(j) * grid.spacing[1];
        c.i += static_cast<double>(i) * grid.spacing[2];
        c.value += values[v];
        ++c.voxels;
    });
    for (std::size_t c = 0; c < sum.size(); ++c) {
        if (sum[c].voxels == 0) {
            sum[c] = before[c];
            continue;
        }
        const double n = static_cast<double>(sum[c].voxels);
        sum[c] = {sum[c].k / n, sum[c].j / n, sum[c].i / n, sum[c].value / n, sum[c].voxels};
    }
    return sum;
}

// The pieces of equal label that touch by faces: number of the piece per voxel (from 1), and the size of each.
struct Pieces {
    std::vector<std::int32_t> of;
    std::vector<std::int32_t> label;  // by piece
    std::vector<Index> size;
};

template <class Visit>
void faces(const Grid& grid, Index v, Visit visit) {
    const std::array<Index, 3> step = grid.step();
    const Index at[3] = {v / step[0], v / step[1] % grid.shape[1], v % grid.shape[2]};
    for (std::size_t a = 0; a < 3; ++a) {
        if (at[a] > 0) visit(v - step[a]);
        if (at[a] + 1 < grid.shape[a]) visit(v + step[a]);
    }
}

Pieces pieces(const Grid& grid, const std::vector<std::int32_t>& label) {
    Pieces p;
    p.of.assign(label.size(), 0);
    p.label.push_back(0);
    p.size.push_back(0);
    std::vector<Index> stack;
    for (std::size_t start = 0; start < label.size(); ++start) {
        if (label[start] == 0 || p.of[start] != 0) continue;
        const std::int32_t number = static_cast<std::int32_t>(p.label.size());
        p.label.push_back(label[start]);
        p.size.push_back(0);
        p.of[start] = number;
        stack.push_back(static_cast<Index>(start));
        while (!stack.empty()) {
            const Index v = stack.back();
            stack.pop_back();
            ++p.size.back();
            faces(grid, v, [&](Index w) {
                const std::size_t at = static_cast<std::size_t>(w);
                if (label[at] == label[start] && p.of[at] == 0) {
                    p.of[at] = number;
                    stack.push_back(w);
                }
            });
        }
    }
    return p;
}

// Only the largest piece of a label keeps it; the others join the neighbouring label they share most faces with, smallest first. A
// piece without a neighbour (an island of the mask) becomes a label of its own.
void connect(const Grid& grid, std::vector<std::int32_t>& label, std::size_t labels) {
    std::int32_t next = static_cast<std::int32_t>(labels);
    for (int round = 0; round < 100; ++round) {
        const Pieces p = pieces(grid, label);
        std::vector<std::int32_t> largest(static_cast<std::size_t>(next) + 1, 0);
        for (std::size_t n = 1; n < p.label.size(); ++n) {
            std::int32_t& best = largest[static_cast<std::size_t>(p.label[n])];
            if (best == 0 || p.size[n] > p.size[static_cast<std::size_t>(best)]) best = static_cast<std::int32_t>(n);
        }
        std::vector<std::vector<Index>> orphans(p.label.size());
        bool any = false;
        for (std::size_t v = 0; v < label.size(); ++v) {
            const std::int32_t n = p.of[v];
            if (n == 0 || largest[static_cast<std::size_t>(p.label[static_cast<std::size_t>(n)])] == n) continue;
            orphans[static_cast<std::size_t>(n)].push_back(static_cast<Index>(v));
            any = true;
        }
        if (!any) return;
        std::vector<std::int32_t> order(p.label.size());
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
            return p.size[static_cast<std::size_t>(a)] < p.size[static_cast<std::size_t>(b)];
        });
        for (const std::int32_t n : order) {
            const std::vector<Index>& voxels = orphans[static_cast<std::size_t>(n)];
            if (voxels.empty()) continue;
            std::vector<std::pair<std::int32_t, Index>> contact;
            const std::int32_t own = label[static_cast<std::size_t>(voxels[0])];
            for (const Index v : voxels)
                faces(grid, v, [&](Index w) {
                    const std::int32_t other = label[static_cast<std::size_t>(w)];
                    if (other == 0 || other == own) return;
                    auto known = std::find_if(contact.begin(), contact.end(), [&](const auto& c) { return c.first == other; });
                    if (known == contact.end())
                        contact.push_back({other, 1});
                    else
                        ++known->second;
                });
            std::int32_t to = 0;
            Index most = 0;
            for (const auto& [other, count] : contact)
                if (count > most || (count == most && other < to)) most = count, to = other;
            if (to == 0) to = ++next;
            for (const Index v : voxels) label[static_cast<std::size_t>(v)] = to;
        }
    }
}

// Regions grown from the voxel nearest to each centre: always the neighbour that is nearest to the mean of a region joins it next. Parts of
// the mask without a seed are seeded at their first voxel.
void grow(const Grid& grid, const double* values, const std::uint8_t* mask, std::vector<Centre>& centres, double side, double compactness,
          std::vector<std::int32_t>& label) {
    const double space = 1 / (side * side), tone = 1 / (compactness * compactness);
    const std::array<Index, 3> step = grid.step();
    using Candidate = std::tuple<double, std::uint64_t, Index, std::int32_t>;  // distance, order of arrival, voxel, region
    std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
    std::uint64_t arrived = 0;
    for (std::size_t c = 0; c < centres.size(); ++c) {
        std::array<Index, 3> low, high;
        const double at[3] = {centres[c].k, centres[c].j, centres[c].i};
        for (std::size_t a = 0; a < 3; ++a) {
            low[a] = std::max<Index>(0, static_cast<Index>(std::ceil((at[a] - side) / grid.spacing[a])));
            high[a] = std::min(grid.shape[a], static_cast<Index>(std::floor((at[a] + side) / grid.spacing[a])) + 1);
        }
        Index nearest = -1;
        double least = std::numeric_limits<double>::infinity();
        inside(grid, mask, low, high, [&](Index v, Index, Index, Index) {
            const double d = from_centre(grid, centres[c], values, v, space, 0);
            if (d < least) least = d, nearest = v;
        });
        centres[c] = Centre{};
        if (nearest >= 0) queue.emplace(0.0, arrived++, nearest, static_cast<std::int32_t>(c) + 1);
    }
    const auto run = [&] {
        while (!queue.empty()) {
            const auto [distance, order, v, region] = queue.top();
            queue.pop();
            if (label[static_cast<std::size_t>(v)] != 0) continue;
            label[static_cast<std::size_t>(v)] = region;
            Centre& centre = centres[static_cast<std::size_t>(region - 1)];
            const double n = static_cast<double>(++centre.voxels);
            centre.k += (static_cast<double>(v / step[0]) * grid.spacing[0] - centre.k) / n;
            centre.j += (static_cast<double>(v / step[1] % grid.shape[1]) * grid.spacing[1] - centre.j) / n;
            centre.i += (static_cast<double>(v % grid.shape[2]) * grid.spacing[2] - centre.i) / n;
            centre.value += (values[v] - centre.value) / n;
            faces(grid, v, [&](Index w) {
                if (mask[w] && label[static_cast<std::size_t>(w)] == 0)
                    queue.emplace(from_centre(grid, centre, values, w, space, tone), arrived++, w, region);
            });
        }
    };
    run();
    for (Index v = 0; v < grid.size(); ++v) {
        if (!mask[v] || label[static_cast<std::size_t>(v)] != 0) continue;
        centres.push_back(Centre{});
        queue.emplace(0.0, arrived++, v, static_cast<std::int32_t>(centres.size()));
        run();
    }
}

// Labels (each one piece) of fewer than `least` voxels join the neighbour they share most faces with, smallest first; one without a
// neighbour stays.
void merge_small(const Grid& grid, std::vector<std::int32_t>& label, Index least) {
    std::int32_t last = 0;
    for (const std::int32_t l : label) last = std::max(last, l);
    std::vector<std::vector<Index>> voxels(static_cast<std::size_t>(last) + 1);
    for (std::size_t v = 0; v < label.size(); ++v)
        if (label[v] != 0) voxels[static_cast<std::size_t>(label[v])].push_back(static_cast<Index>(v));
    std::vector<bool> alone(voxels.size(), false);
    while (true) {
        std::size_t smallest = 0;
        for (std::size_t l = 1; l < voxels.size(); ++l) {
            const Index size = static_cast<Index>(voxels[l].size());
            if (size > 0 && size < least && !alone[l] && (smallest == 0 || voxels[l].size() < voxels[smallest].size())) smallest = l;
        }
        if (smallest == 0) return;
        std::vector<Index> contact(voxels.size(), 0);
        for (const Index v : voxels[smallest])
            faces(grid, v, [&](Index w) { ++contact[static_cast<std::size_t>(label[static_cast<std::size_t>(w)])]; });
        contact[0] = contact[smallest] = 0;
        const std::size_t to = static_cast<std::size_t>(std::max_element(contact.begin(), contact.end()) - contact.begin());
        if (contact[to] == 0) {
            alone[smallest] = true;
            continue;
        }
        for (const Index v : voxels[smallest]) label[static_cast<std::size_t>(v)] = static_cast<std::int32_t>(to);
        voxels[to].insert(voxels[to].end(), voxels[smallest].begin(), voxels[smallest].end());
        voxels[smallest].clear();
    }
}

}  // namespace

std::vector<std::int32_t> supervoxels(const double* values, const std::uint8_t* mask, std::array<Index, 3> shape,
                                      std::array<double, 3> spacing, const SupervoxelSettings& settings) {
    const Grid grid{shape, spacing};
    std::vector<std::int32_t> label(static_cast<std::size_t>(grid.size()), 0);
    // a slice has a side of its own thickness across: its supervoxels are pixels side by side
    const bool flat = shape[0] == 1;
    const double side = flat ? std::sqrt(settings.volume / spacing[0]) : std::cbrt(settings.volume);
    std::vector<Centre> centres = seeds(grid, values, mask, side);
    if (settings.method == SupervoxelMethod::growing) {
        grow(grid, values, mask, centres, side, settings.compactness, label);
    } else {
        const bool limited = settings.method == SupervoxelMethod::slic;
        double whole = 0;
        for (std::size_t a = 0; a < 3; ++a) whole += static_cast<double>(shape[a]) * spacing[a];
        std::vector<double> distance(label.size());
        for (int n = 0; n < settings.iterations; ++n) {
            assign(grid, values, mask, centres, side, limited ? 2 * side : whole, settings.compactness, distance, label);
            centres = means(grid, values, mask, label, centres);
        }
    }
    // a voxel that no window reached forms the label that its neighbours grow over
    std::int32_t last = static_cast<std::int32_t>(centres.size());
    for (std::size_t v = 0; v < label.size(); ++v)
        if (mask[v] && label[v] == 0) label[v] = last + 1;
    connect(grid, label, static_cast<std::size_t>(last) + 1);
    if (settings.least > 1) merge_small(grid, label, settings.least);
    std::vector<std::int32_t> number;
    for (std::int32_t& l : label) {
        if (l == 0) continue;
        if (static_cast<std::size_t>(l) >= number.size()) number.resize(static_cast<std::size_t>(l) + 1, 0);
        if (number[static_cast<std::size_t>(l)] == 0) number[static_cast<std::size_t>(l)] = -1;
    }
    std::int32_t count = 0;
    for (std::int32_t& n : number)
        if (n == -1) n = ++count;
    for (std::int32_t& l : label)
        if (l != 0) l = number[static_cast<std::size_t>(l)];
    return label;
}

std::vector<std::array<std::int64_t, 3>> contacts(const std::int32_t* labels, std::array<Index, 3> shape) {
    std::unordered_map<std::uint64_t, std::int64_t> faces_of;
    for (Index dk = 0; dk <= 1; ++dk)
        for (Index dj = dk == 0 ? 0 : -1; dj <= 1; ++dj)
            for (Index di = dk == 0 && dj == 0 ? 1 : -1; di <= 1; ++di) {
                const bool face = dk + std::abs(dj) + std::abs(di) == 1;
                const Index step = (dk * shape[1] + dj) * shape[2] + di;
                std::uint64_t last = 0;  // neighbouring voxels usually meet the same pair
                std::int64_t* count = nullptr;
                for (Index k = 0; k + dk < shape[0]; ++k)
                    for (Index j = std::max<Index>(0, -dj); j < shape[1] - std::max<Index>(0, dj); ++j) {
                        const std::int32_t* row = labels + (k * shape[1] + j) * shape[2];
                        for (Index i = std::max<Index>(0, -di); i < shape[2] - std::max<Index>(0, di); ++i) {
                            const std::int32_t a = row[i], b = row[i + step];
                            if (a == b || a <= 0 || b <= 0) continue;
                            const std::uint64_t pair = static_cast<std::uint64_t>(std::min(a, b)) << 32 | static_cast<std::uint64_t>(std::max(a, b));
                            if (pair != last) count = &faces_of[pair], last = pair;
                            *count += face;
                        }
                    }
            }
    std::vector<std::array<std::int64_t, 3>> found;
    for (const auto& [pair, count] : faces_of) found.push_back({static_cast<std::int64_t>(pair >> 32), static_cast<std::int64_t>(pair & 0xFFFFFFFFu), count});
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace isthmus
