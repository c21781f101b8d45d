#include "isthmus/engine.hpp"

#include <stdexcept>
#include <string>

#include "isthmus/discretise.hpp"
#include "isthmus/features/firstorder.hpp"
#include "isthmus/features/glcm.hpp"
#include "isthmus/features/gldm.hpp"
#include "isthmus/features/glrlm.hpp"
#include "isthmus/features/glszm.hpp"
#include "isthmus/features/ngtdm.hpp"
#include "isthmus/features/shape.hpp"
#include "isthmus/pairs.hpp"

namespace isthmus {

namespace {

enum : unsigned { with_shape = 1, with_firstorder = 2, with_glcm = 4, with_glrlm = 8, with_glszm = 16, with_gldm = 32, with_ngtdm = 64 };

constexpr std::array<Family, 7> table = {{{"shape", shape_names},
                                          {"firstorder", firstorder_names},
                                          {"glcm", glcm_names},
                                          {"glrlm", glrlm_names},
                                          {"glszm", glszm_names},
                                          {"gldm", gldm_names},
                                          {"ngtdm", ngtdm_names}}};

void check(const Sample& sample) {
    if (sample.not_finite > 0) throw std::invalid_argument(std::to_string(sample.not_finite) + " voxels of the region are NaN or infinite");
}

}  // namespace

std::span<const Family> families() { return table; }

std::vector<double> features(const Region& region, const Sample& sample, std::span<const double> edges, unsigned wanted,
                             const Kernels& kernels, Workspace& work) {
    std::vector<double> out;
    out.reserve(107);
    auto append = [&](const auto& values) { out.insert(out.end(), values.begin(), values.end()); };
    if (wanted & with_shape) append(shape(region, kernels));
    if ((wanted & ~static_cast<unsigned>(with_shape)) == 0) return out;
    check(sample);
    discretise(region, sample, edges, work);
    if (wanted & with_firstorder) append(firstorder(region, sample, work.levels, kernels));
    if (wanted & (with_glcm | with_glrlm)) count_pairs_and_runs(region, kernels, work);
    if (wanted & with_glcm) {
        GlcmScratch scratch;
        append(glcm(work.directions, work.levels, kernels, scratch));
    }
    if (wanted & with_glrlm) append(glrlm(work.directions, work.levels, region.longest_side));
    if (wanted & with_glszm) {
        count_zones(region, kernels, work);
        append(glszm(work.zones, work.levels));
    }
    if (wanted & (with_gldm | with_ngtdm)) count_neighbourhoods(region, kernels, work);
    if (wanted & with_gldm) append(gldm(work.dependence_counts, work.levels));
    if (wanted & with_ngtdm) append(ngtdm(work.difference_sums, work.levels));
    return out;
}

Matrices matrices(const Region& region, const Sample& sample, std::span<const double> edges, const Kernels& kernels, Workspace& work) {
    check(sample);
    discretise(region, sample, edges, work);
    count_pairs_and_runs(region, kernels, work);
    count_zones(region, kernels, work);
    count_neighbourhoods(region, kernels, work);
    const std::vector<double>& value = work.levels.value;
    const std::vector<double> s = tone_differences(work.difference_sums, work.levels);
    Matrices m;
    for (std::uint32_t k = 1; k <= work.levels.count; ++k) {
        if (work.levels.voxels[k] == 0) continue;
        m.levels.push_back(value[k]);
        m.ngtdm.push_back({0, value[k], static_cast<double>(work.levels.voxels[k]), s[k]});
        for (std::size_t j = 0; j < 27; ++j)
            if (const std::uint64_t n = work.dependence_counts[k * std::size_t{27} + j]; n > 0)
                m.gldm.push_back({0, value[k], static_cast<double>(j + 1), static_cast<double>(n)});
    }
    for (int d = 0; d < 13; ++d) {
        const double direction = d;
        for (const PairCell& c : work.directions[d].pairs) {
            const double i = value[c.high], j = value[c.low], n = c.count;
            m.glcm.push_back({direction, i, j, c.high == c.low ? 2 * n : n});
            if (c.high != c.low) m.glcm.push_back({direction, j, i, n});
        }
        if (!work.directions[d].has_line) continue;
        for (const RunCell& c : work.directions[d].runs)
            m.glrlm.push_back({direction, value[c.level], static_cast<double>(c.length), static_cast<double>(c.count)});
    }
    for (const ZoneCell& z : work.zones) m.glszm.push_back({0, value[z.level], static_cast<double>(z.size), static_cast<double>(z.count)});
    return m;
}

}  // namespace isthmus
