#include "isthmus/features/ngtdm.hpp"

#include <cmath>

namespace isthmus {

std::vector<double> tone_differences(const std::vector<std::uint64_t>& difference_sums, const Levels& levels) {
    std::vector<double> s(levels.value.size(), 0.0);
    for (std::size_t k = 1; k < s.size(); ++k)
        for (std::size_t c = 1; c < 27; ++c) s[k] += static_cast<double>(difference_sums[k * 27 + c]) / static_cast<double>(c);
    return s;
}

std::array<double, ngtdm_names.size()> ngtdm(const std::vector<std::uint64_t>& difference_sums, const Levels& levels) {
    return ngtdm(ToneTable{{levels.voxels.begin(), levels.voxels.end()}, tone_differences(difference_sums, levels)}, levels);
}

std::array<double, ngtdm_names.size()> ngtdm(const ToneTable& table, const Levels& levels) {
    std::vector<double> g, p, s;
    double n = 0;
    for (const double voxels : table.voxels) n += voxels;
    for (std::size_t k = 1; k < table.voxels.size(); ++k)
        if (table.voxels[k] > 0) {
            g.push_back(levels.value[k]);
            p.push_back(table.voxels[k] / n);
            s.push_back(table.differences[k]);
        }
    double ps = 0, sum = 0, first = 0, second = 0;
    for (std::size_t i = 0; i < g.size(); ++i) {
        ps += p[i] * s[i];
        sum += s[i];
        first += p[i] * g[i];
    }
    for (std::size_t i = 0; i < g.size(); ++i) second += p[i] * (g[i] - first) * (g[i] - first);
    double busyness = 0, complexity = 0, strength = 0;
    for (std::size_t i = 0; i < g.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            const double d = g[i] - g[j], both = p[i] + p[j];
            busyness += std::abs(g[i] * p[i] - g[j] * p[j]);
            complexity += d * (p[i] * s[i] + p[j] * s[j]) / both;
            strength += both * d * d;
        }
    const double levels_present = static_cast<double>(g.size()), pairs = levels_present * (levels_present - 1);
    return {busyness == 0 ? 0 : ps / (2 * busyness), ps == 0 ? 1e6 : 1 / ps, 2 * complexity / n,
            pairs == 0 ? 0 : 2 * second / pairs * sum / n,  // sum_ij p_i p_j (i - j)^2 = 2 variance
            sum == 0 ? 0 : 2 * strength / sum};
}

}  // namespace isthmus
