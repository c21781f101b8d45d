#include "isthmus/features/glrlm.hpp"

#include "isthmus/mean_of_directions.hpp"
#include "isthmus/size_matrix.hpp"

namespace isthmus {

namespace {

std::array<double, glrlm_names.size()> values(const SizeSums& s) {
    const double n = s.total;
    return {s.level_squares / n, s.level_squares / (n * n), s.level_variance, s.high / n, s.large / n, s.large_high / n,
            s.large_low / n, s.low / n, s.entropy, s.size_squares / n, s.size_squares / (n * n), n / s.voxels,
            s.size_variance, s.small / n, s.small_high / n, s.small_low / n};
}

}  // namespace

std::array<double, glrlm_names.size()> glrlm(const DirectionCounts* directions, const Levels& levels, Index longest) {
    MeanOfDirections<glrlm_names.size()> mean;
    std::vector<double> by_length(static_cast<std::size_t>(longest) + 1);
    for (int d = 0; d < 13; ++d) {
        if (!directions[d].has_line) continue;
        std::fill(by_length.begin(), by_length.end(), 0.0);
        std::size_t last = 0;
        for (const RunCell& cell : directions[d].runs) {
            by_length[cell.length] += cell.count;
            last = cell.length > last ? cell.length : last;
        }
        const SizeSums s = size_sums(
            [&](auto add) {
                for (const RunCell& cell : directions[d].runs) add(cell.level, static_cast<double>(cell.length), std::uint64_t{cell.count});
            },
            [&](auto add) {
                for (std::size_t length = 1; length <= last; ++length)
                    if (by_length[length] > 0) add(static_cast<double>(length), by_length[length]);
            },
            levels.value);
        mean.add(values(s));
    }
    return mean.mean();
}

std::array<double, glrlm_names.size()> glrlm(const CountMatrix& runs, const Levels& levels) {
    return values(size_sums(runs, levels.value));
}

}  // namespace isthmus
