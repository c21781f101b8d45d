#include "isthmus/window.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>

#include "isthmus/features/firstorder.hpp"
#include "isthmus/features/gldm.hpp"
#include "isthmus/features/glrlm.hpp"
#include "isthmus/features/glszm.hpp"
#include "isthmus/features/ngtdm.hpp"
#include "isthmus/pairs.hpp"

namespace isthmus {

namespace {

bool has_direction(std::size_t d, int flat_axis) { return flat_axis < 0 || direction_steps[d][flat_axis] == 0; }

}  // namespace

KernelVolume::KernelVolume(const Region& region, const Sample& sample, const Workspace& discretised, const Kernel& kernel_)
    : kernel(kernel_), value(discretised.levels.value), highest(discretised.levels.highest) {
    if (kernel.radius < 1 || kernel.radius > 15) throw std::invalid_argument("a kernel radius is 1 to 15 voxels, got " + std::to_string(kernel.radius));
    if (value.size() > 65536)
        throw std::invalid_argument("the region has " + std::to_string(value.size() - 1) +
                                    " different grey levels; at most 65535 are possible: take wider bins");
    Index volume = 1;
    for (int axis = 2; axis >= 0; --axis) {
        const std::size_t a = static_cast<std::size_t>(axis);
        reach[a] = axis == kernel.flat_axis ? 0 : kernel.radius;
        step[a] = volume;
        volume *= region.shape[a] + 2 * reach[a];
    }
    number.assign(static_cast<std::size_t>(volume), 0);
    intensity.assign(static_cast<std::size_t>(volume), 0.0);
    for (const Run& run : region.runs) {
        const Index k = run.offset / region.step[0] - 1, rest = run.offset % region.step[0];
        const std::size_t to = static_cast<std::size_t>(offset(k, rest / region.step[1] - 1, rest % region.step[1] - 1));
        for (std::size_t x = 0; x < static_cast<std::size_t>(run.length); ++x) {
            const std::size_t from = static_cast<std::size_t>(run.start) + x;
            number[to + x] = static_cast<std::uint16_t>(discretised.level_of[from]);
            intensity[to + x] = sample.single ? static_cast<double>(sample.f32[from]) : sample.f64[from];
        }
    }
    const std::vector<std::uint64_t>& voxels = discretised.levels.voxels;
    one_level = std::count_if(voxels.begin(), voxels.end(), [](std::uint64_t n) { return n > 0; }) == 1;
    const std::uint8_t* mask = region.mask_origin();
    const std::array<Index, 13> back = direction_offsets(region);
    for (std::size_t d = 0; d < 13; ++d) {
        if (!has_direction(d, kernel.flat_axis)) continue;
        for (std::size_t r = 0; r < region.runs.size() && !adjacent[d]; ++r)
            for (Index x = 0; x < region.runs[r].length && !adjacent[d]; ++x) adjacent[d] = mask[region.runs[r].offset + x - back[d]] != 0;
    }
}

Window::Window(const KernelVolume& volume) : volume_(volume) {
    Index size = 1;
    for (std::size_t a = 3; a-- > 0;) {
        side_[a] = 2 * volume.reach[a] + 1;
        step_[a] = size;
        size *= side_[a] + 2;
    }
    longest_ = *std::max_element(side_.begin(), side_.end());
    for (std::size_t d = 0; d < 13; ++d) {
        if (!has_direction(d, volume.kernel.flat_axis)) continue;
        directions_.push_back(d);
        back_[d] = direction_steps[d][0] * step_[0] + direction_steps[d][1] * step_[1] + direction_steps[d][2];
    }
    const std::size_t cube = static_cast<std::size_t>(size), levels = volume.value.size();
    number_.assign(cube, 0);
    rank_.assign(cube, 0);
    parent_.assign(cube, 0);
    size_.assign(cube, 0);
    seen_.assign(levels, 0);
    rank_of_.assign(levels, 0);
}

void Window::read(Index centre) {
    if (++now_ == 0) {  // four thousand million kernels later
        std::fill(seen_.begin(), seen_.end(), 0u);
        now_ = 1;
    }
    present_.clear();
    intensity_.clear();
    distinct_.clear();
    const Index corner = centre - volume_.reach[0] * volume_.step[0] - volume_.reach[1] * volume_.step[1] - volume_.reach[2];
    for (Index k = 0; k < side_[0]; ++k)
        for (Index j = 0; j < side_[1]; ++j) {
            const Index from = corner + k * volume_.step[0] + j * volume_.step[1];
            const Index to = (k + 1) * step_[0] + (j + 1) * step_[1] + 1;
            for (Index i = 0; i < side_[2]; ++i) {
                const std::uint16_t number = volume_.number[static_cast<std::size_t>(from + i)];
                number_[static_cast<std::size_t>(to + i)] = number;
                rank_[static_cast<std::size_t>(to + i)] = 0;
                if (number == 0) continue;
                present_.push_back(to + i);
                intensity_.push_back(volume_.intensity[static_cast<std::size_t>(from + i)]);
                if (seen_[number] != now_) {
                    seen_[number] = now_;
                    distinct_.push_back(number);
                }
            }
        }
    std::sort(distinct_.begin(), distinct_.end());
    Levels& levels = work_.levels;
    levels.highest = volume_.highest;
    levels.count = static_cast<std::uint32_t>(distinct_.size());
    levels.value.resize(distinct_.size() + 1);
    levels.voxels.assign(distinct_.size() + 1, 0);
    for (std::size_t k = 0; k < distinct_.size(); ++k) {
        levels.value[k + 1] = volume_.value[distinct_[k]];
        rank_of_[distinct_[k]] = static_cast<std::uint32_t>(k + 1);
    }
    for (const Index p : present_) {
        const std::uint32_t rank = rank_of_[number_[static_cast<std::size_t>(p)]];
        rank_[static_cast<std::size_t>(p)] = static_cast<std::uint16_t>(rank);
        ++levels.voxels[rank];
    }
}

void Window::count_pairs(std::size_t d) {
    const std::size_t levels = work_.levels.count, stride = levels + 1;
    if (pairs_.size() < stride * stride) pairs_.resize(stride * stride, 0);
    touched_.resize(present_.size() + 1);
    std::uint16_t* table = pairs_.data();
    PairCell* touched = touched_.data();
    const std::uint16_t* rank = rank_.data();
    const Index back = back_[d];
    std::size_t cells = 0;
    for (const Index p : present_) {
        const std::uint32_t a = rank[p], b = rank[p - back], high = a > b ? a : b, low = a > b ? b : a;
        std::uint16_t& count = table[high * stride + low];
        touched[cells] = {high, low, 0};
        cells += (count == 0) & (low != 0);  // 0: the neighbour lies outside
        ++count;
    }
    std::vector<PairCell>& out = work_.directions[d].pairs;
    out.resize(cells);
    for (std::size_t c = 0; c < cells; ++c) {
        std::uint16_t& count = table[touched[c].high * stride + touched[c].low];
        out[c] = {touched[c].high, touched[c].low, count};
        count = 0;
    }
    for (std::size_t level = 1; level <= levels; ++level) table[level * stride] = 0;
}

// Two voxels on one line along the direction, with or without a gap between them.
bool Window::shares_line(std::size_t d) const {
    const int* step = direction_steps[d];
    for (const Index p : present_) {
        std::array<Index, 3> at{p / step_[0] - 1, p % step_[0] / step_[1] - 1, p % step_[1] - 1};
        for (Index q = p - back_[d];; q -= back_[d]) {
            bool inside = true;
            for (std::size_t a = 0; a < 3; ++a) {
                at[a] -= step[a];
                inside = inside && at[a] >= 0 && at[a] < side_[a];
            }
            if (!inside) break;
            if (rank_[static_cast<std::size_t>(q)] != 0) return true;
        }
    }
    return false;
}

void Window::count_runs(std::size_t d) {
    const std::size_t levels = work_.levels.count, stride = static_cast<std::size_t>(longest_) + 1;
    if (runs_.size() < (levels + 1) * stride) runs_.resize((levels + 1) * stride, 0);
    const std::uint16_t* rank = rank_.data();
    const Index back = back_[d];
    bool neighbours = false;
    for (const Index p : present_) {
        const std::uint16_t own = rank[p], before = rank[p - back];
        neighbours |= before != 0;
        if (before == own) continue;
        std::size_t length = 1;
        for (Index q = p + back; rank[q] == own; q += back) ++length;
        ++runs_[own * stride + length];
    }
    DirectionCounts& out = work_.directions[d];
    out.runs.clear();
    for (std::uint32_t level = 1; level <= levels; ++level)
        for (std::uint32_t length = 1; length < stride; ++length)
            if (std::uint16_t& count = runs_[level * stride + length]; count > 0) {
                out.runs.push_back({level, length, count});
                count = 0;
            }
    out.has_line = neighbours || shares_line(d);
}

void Window::count_zones() {
    const std::uint16_t* rank = rank_.data();
    auto root = [&](Index a) {
        while (parent_[static_cast<std::size_t>(a)] != a) {
            const Index above = parent_[static_cast<std::size_t>(a)];
            parent_[static_cast<std::size_t>(a)] = parent_[static_cast<std::size_t>(above)];
            a = parent_[static_cast<std::size_t>(a)];
        }
        return a;
    };
    for (const Index p : present_) {
        parent_[static_cast<std::size_t>(p)] = p;
        size_[static_cast<std::size_t>(p)] = 0;
        for (const std::size_t d : directions_)
            if (rank[p - back_[d]] == rank[p]) {
                const Index a = root(p), b = root(p - back_[d]);
                parent_[static_cast<std::size_t>(std::max(a, b))] = std::min(a, b);
            }
    }
    for (const Index p : present_) ++size_[static_cast<std::size_t>(root(p))];
    std::vector<ZoneCell>& zones = work_.zones;
    zones.clear();
    for (const Index p : present_)
        if (size_[static_cast<std::size_t>(p)] > 0) zones.push_back({rank[p], size_[static_cast<std::size_t>(p)], 1});
    std::sort(zones.begin(), zones.end(), [](const ZoneCell& a, const ZoneCell& b) { return a.size != b.size ? a.size < b.size : a.level < b.level; });
    std::size_t last = 0;
    for (std::size_t i = 1; i < zones.size(); ++i)
        if (zones[i].size == zones[last].size && zones[i].level == zones[last].level)
            zones[last].count += zones[i].count;
        else
            zones[++last] = zones[i];
    zones.resize(last + 1);
}

void Window::count_neighbourhoods(double tolerance) {
    const std::uint16_t* rank = rank_.data();
    const double* value = work_.levels.value.data();
    const std::size_t cells = (work_.levels.count + std::size_t{1}) * 27;
    work_.dependence_counts.assign(cells, 0);
    work_.difference_sums.assign(cells, 0);
    for (const Index p : present_) {
        const double own = value[rank[p]];
        double sum = 0;
        std::size_t neighbours = 0, dependent = 0;
        auto look = [&](std::uint16_t other) {
            if (other == 0) return;
            ++neighbours;
            sum += value[other];
            dependent += std::abs(own - value[other]) <= tolerance;
        };
        for (const std::size_t d : directions_) {
            look(rank[p - back_[d]]);
            look(rank[p + back_[d]]);
        }
        ++work_.dependence_counts[rank[p] * std::size_t{27} + dependent];
        work_.difference_sums[rank[p] * std::size_t{27} + neighbours] += static_cast<std::uint64_t>(std::abs(own * static_cast<double>(neighbours) - sum));
    }
}

void Window::measure(Index centre, const WindowRules& rules, const Kernels& kernels, std::array<double, window_features>& out) {
    read(centre);
    auto place = out.begin();
    auto put = [&](bool wanted, std::size_t size, const auto& compute) {
        if (wanted) {
            const auto values = compute();
            std::copy(values.begin(), values.end(), place);
        }
        place += static_cast<std::ptrdiff_t>(size);
    };
    put(rules.families & in_firstorder, firstorder_names.size(),
        [&] { return firstorder_of_few(intensity_, work_.levels, rules.voxel_volume, rules.shift); });
    put(rules.families & in_glcm, glcm_names.size(), [&] {
        bool any = false, all = true;
        for (const std::size_t d : directions_) {
            count_pairs(d);
            const bool empty = work_.directions[d].pairs.empty();
            any = any || !empty;
            all = all && !(empty && volume_.adjacent[d]);
        }
        auto values = glcm(work_.directions, work_.levels, kernels, scratch_, rules.mcc);
        // as in PyRadiomics: this mean is undefined when a direction that others have is missing here
        if (!all) values[glcm_joint_average] = std::numeric_limits<double>::quiet_NaN();
        // a flat kernel is not a flat region: each of its directions has the coefficient 0
        if (work_.levels.count < 2 && !volume_.one_level) values[glcm_mcc] = any ? 0 : std::numeric_limits<double>::quiet_NaN();
        return values;
    });
    put(rules.families & in_glrlm, glrlm_names.size(), [&] {
        for (const std::size_t d : directions_) count_runs(d);
        return glrlm(work_.directions, work_.levels, longest_);
    });
    put(rules.families & in_glszm, glszm_names.size(), [&] {
        count_zones();
        return glszm(work_.zones, work_.levels);
    });
    if (rules.families & (in_gldm | in_ngtdm)) count_neighbourhoods(rules.tolerance);
    put(rules.families & in_gldm, gldm_names.size(), [&] { return gldm(work_.dependence_counts, work_.levels); });
    put(rules.families & in_ngtdm, ngtdm_names.size(), [&] { return ngtdm(work_.difference_sums, work_.levels); });
}

}  // namespace isthmus
