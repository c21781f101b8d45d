#include "isthmus/histogram.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace isthmus {

Histogram::Histogram(std::span<const std::uint32_t> levels, std::uint32_t bins_) : bins(bins_) {
    if (levels.empty()) throw std::invalid_argument("a histogram needs at least one grey level");
    count.assign(std::size_t{bins} + 1, 0);
    for (const std::uint32_t level : levels) {
        if (level < 1 || level > bins)
            throw std::invalid_argument("grey level " + std::to_string(level) + " lies outside 1 to " + std::to_string(bins));
        ++count[level];
    }
    size = static_cast<Index>(levels.size());
    below.assign(std::size_t{bins} + 2, 0);
    for (std::size_t g = 1; g <= bins; ++g) below[g + 1] = below[g] + static_cast<Index>(count[g]);
    lowest = 1;
    while (count[lowest] == 0) ++lowest;
    highest = bins;
    while (count[highest] == 0) --highest;
}

double Histogram::at(Index rank) const {
    // the last level with no more than `rank` voxels below it
    return static_cast<double>(std::upper_bound(below.begin() + 1, below.end(), rank) - below.begin() - 1);
}

}  // namespace isthmus
