#include "isthmus/texture.hpp"

#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "isthmus/discretise.hpp"
#include "isthmus/distance_to_edge.hpp"
#include "isthmus/features/glcm.hpp"
#include "isthmus/features/gldm.hpp"
#include "isthmus/features/gldzm.hpp"
#include "isthmus/features/glrlm.hpp"
#include "isthmus/features/glszm.hpp"
#include "isthmus/features/ngtdm.hpp"
#include "isthmus/level_volume.hpp"
#include "isthmus/mean_of_directions.hpp"
#include "isthmus/pairs.hpp"

namespace isthmus {

namespace {

using Step = std::array<int, 3>;

constexpr std::array<NamedTextureFamily, 7> table = {{{"glcm", glcm_names},
                                                      {"glrlm", glrlm_names},
                                                      {"glszm", glszm_names},
                                                      {"gldzm", gldzm_names},
                                                      {"ngtdm", ngtdm_names},
                                                      {"ngldm", ngldm_names},
                                                      {"gldm", gldm_names}}};
constexpr std::array<const char*, 9> codes = {"BTW3", "SUJT", "JJUI", "ZW7Z", "ITBB", "IAZD", "8QNN", "62GR", "KOBO"};

bool by_slice(Aggregation a) { return a == Aggregation::btw3 || a == Aggregation::sujt || a == Aggregation::q8nn; }
bool keeps_directions(Aggregation a) { return a == Aggregation::btw3 || a == Aggregation::jjui || a == Aggregation::itbb; }
bool in_space(Aggregation a) { return a == Aggregation::itbb || a == Aggregation::iazd || a == Aggregation::kobo; }

constexpr Index all_slices = -1;
constexpr Step no_direction = {0, 0, 0};

// One matrix, where it comes from, and from how many voxels.
struct Part {
    Index slice;
    Step direction;
    double voxels;
    CountMatrix cells;
};

struct TonePart {
    Index slice;
    ToneTable tones;
};

// Makes what requests need at first use and keeps it.
class Counts {
public:
    Counts(const Region& region, std::span<const TextureRequest> requests, const TextureOptions& options, const Region* edge,
           const Kernels& kernels, Workspace& work)
        : region_(region), options_(options), edge_(edge), kernels_(kernels), work_(work) {
        for (const TextureRequest& request : requests) {
            slices_ = slices_ || by_slice(request.aggregation);
            distances_ = distances_ || request.family == TextureFamily::gldzm;
        }
    }

    // The matrices that a request's values are the mean over.
    std::vector<Part> matrices(const TextureRequest& request) {
        switch (request.family) {
            case TextureFamily::glcm: return aggregated(pairs(in_space(request.aggregation)), request.aggregation, true);
            case TextureFamily::glrlm: return aggregated(runs(in_space(request.aggregation)), request.aggregation, false);
            case TextureFamily::glszm: return zones(request.aggregation, false);
            case TextureFamily::gldzm: return zones(request.aggregation, true);
            default: return aggregated(neighbourhoods(in_space(request.aggregation)).dependences, request.aggregation, false);
        }
    }

    std::vector<TonePart> tones(Aggregation aggregation) {
        const std::vector<TonePart>& parts = neighbourhoods(in_space(aggregation)).tones;
        if (aggregation != Aggregation::s62gr) return parts;
        TonePart all{all_slices, parts.front().tones};
        for (std::size_t n = 1; n < parts.size(); ++n)
            for (std::size_t k = 0; k < all.tones.voxels.size(); ++k) {
                all.tones.voxels[k] += parts[n].tones.voxels[k];
                all.tones.differences[k] += parts[n].tones.differences[k];
            }
        return {all};
    }

    bool weighted(Aggregation aggregation) const { return options_.weighting != Weighting::none && !keeps_directions(aggregation); }

    // PyRadiomics' table of directions holds only one: merged, or the box is a line.
    bool lone_matrix(Aggregation aggregation) const {
        if (options_.ibsi) return false;
        int possible = 0;
        for (const auto& d : direction_steps) {
            bool fits = in_space(aggregation) || d[options_.slice_axis] == 0;
            for (std::size_t a = 0; a < 3; ++a) fits = fits && std::abs(d[a]) < region_.shape[a];
            possible += fits;
        }
        return possible == 1 || !keeps_directions(aggregation);
    }

private:
    struct Neighbourhoods {
        std::vector<Part> dependences;
        std::vector<TonePart> tones;
    };

    bool within_slice(const Step& step) const { return step[static_cast<std::size_t>(options_.slice_axis)] == 0; }

    // Half of the neighbours of a distance, the later ones in memory order. IBSI: the 13 (4) directions times the distance;
    // PyRadiomics: every voxel at the distance.
    std::vector<Step> steps(bool space, const std::vector<int>& distances) const {
        std::vector<Step> found;
        for (const int distance : distances)
            for (int k = 0; k <= distance; ++k)
                for (int j = -distance; j <= distance; ++j)
                    for (int i = -distance; i <= distance; ++i) {
                        const Step step{k, j, i};
                        if (step <= no_direction || std::max({k, std::abs(j), std::abs(i)}) != distance) continue;
                        if (!space && !within_slice(step)) continue;
                        if (options_.ibsi && (k % distance != 0 || j % distance != 0 || i % distance != 0)) continue;
                        found.push_back(step);
                    }
        return found;
    }

    // Both halves. IBSI: everything within the largest distance; PyRadiomics: what lies exactly at one of the distances.
    std::vector<Step> neighbours(bool space) const {
        const int largest = *std::max_element(options_.distances.begin(), options_.distances.end());
        std::vector<Step> found;
        for (int k = -largest; k <= largest; ++k)
            for (int j = -largest; j <= largest; ++j)
                for (int i = -largest; i <= largest; ++i) {
                    const Step step{k, j, i};
                    const int distance = std::max({std::abs(k), std::abs(j), std::abs(i)});
                    const bool wanted = options_.ibsi || std::find(options_.distances.begin(), options_.distances.end(), distance) != options_.distances.end();
                    if (step != no_direction && wanted && (space || within_slice(step))) found.push_back(step);
                }
        return found;
    }

    double length(const Step& step) const {
        double sum = 0, squares = 0, largest = 0;
        for (std::size_t a = 0; a < 3; ++a) {
            const double mm = std::abs(step[a]) * region_.spacing[a];
            sum += mm;
            squares += mm * mm;
            largest = std::max(largest, mm);
        }
        return options_.weighting == Weighting::manhattan ? sum : options_.weighting == Weighting::euclidean ? std::sqrt(squares) : largest;
    }

    double weight(const Part& part, bool of_pairs) const {
        if (options_.weighting == Weighting::none || part.direction == no_direction) return 1;
        const double mm = length(part.direction);
        return options_.ibsi ? 1 / mm : of_pairs ? std::exp(-mm * mm) : mm;
    }

    const LevelVolume& volume() {
        if (!volume_) volume_.emplace(region_, work_, *std::max_element(options_.distances.begin(), options_.distances.end()), options_.slice_axis);
        return *volume_;
    }

    void joint_pass() {
        if (!passed_) count_pairs_and_runs(region_, kernels_, work_);
        passed_ = true;
    }

    // Voxels by slice, or all of them at once.
    std::vector<Slice> groups(bool space) {
        if (!space) return volume().slices;
        return {{all_slices, 0, static_cast<Index>(volume().voxels.size())}};
    }

    const std::vector<Part>& pairs(bool space) {
        std::vector<Part>& parts = pairs_[space];
        if (!parts.empty()) return parts;
        const std::uint32_t k = work_.levels.count + 1;
        const bool plain = options_.distances != std::vector<int>{1} || !options_.symmetric;
        if (!plain && (space || !slices_)) {
            joint_pass();
            for (std::size_t d = 0; d < 13; ++d) {
                const Step step{direction_steps[d][0], direction_steps[d][1], direction_steps[d][2]};
                if (!space && !within_slice(step)) continue;
                Part part{all_slices, step, 0, {}};
                for (const PairCell& cell : work_.directions[d].pairs) {
                    const double n = cell.count;
                    part.cells.push_back({cell.high, cell.low, cell.high == cell.low ? 2 * n : n});
                    if (cell.high != cell.low) part.cells.push_back({cell.low, cell.high, n});
                }
                std::sort(part.cells.begin(), part.cells.end(), [](const CountCell& a, const CountCell& b) {
                    return a.row != b.row ? a.row < b.row : a.column < b.column;
                });
                parts.push_back(std::move(part));
            }
            return parts;
        }
        const std::uint32_t* number = volume().number.data();
        const std::vector<Step> all = steps(space, options_.distances);
        for (const Slice& group : groups(space || !slices_)) {
            const std::uint64_t voxels = static_cast<std::uint64_t>(group.end - group.begin);
            for (const Step& step : all) {
                const Index offset = volume().offset(step);
                CellCounter counter(k, k, 2 * voxels);
                for (Index n = group.begin; n < group.end; ++n) {
                    const std::uint32_t* v = number + volume().voxels[static_cast<std::size_t>(n)];
                    if (v[offset] == 0) continue;
                    counter.add(v[0], v[offset]);
                    if (options_.symmetric) counter.add(v[offset], v[0]);
                }
                parts.push_back({group.index, step, static_cast<double>(voxels), counter.cells()});
            }
        }
        return parts;
    }

    const std::vector<Part>& runs(bool space) {
        std::vector<Part>& parts = runs_[space];
        if (!parts.empty()) return parts;
        std::vector<std::size_t> directions;
        for (std::size_t d = 0; d < 13; ++d) {
            const Step step{direction_steps[d][0], direction_steps[d][1], direction_steps[d][2]};
            if (!space && !within_slice(step)) continue;
            if (!options_.ibsi) joint_pass();
            if (options_.ibsi || work_.directions[d].has_line) directions.push_back(d);
        }
        if (space || !slices_) {
            joint_pass();
            for (const std::size_t d : directions) {
                Part part{all_slices, {direction_steps[d][0], direction_steps[d][1], direction_steps[d][2]}, static_cast<double>(region_.size), {}};
                for (const RunCell& cell : work_.directions[d].runs) part.cells.push_back({cell.level, cell.length, static_cast<double>(cell.count)});
                parts.push_back(std::move(part));
            }
            return parts;
        }
        const std::uint32_t* number = volume().number.data();
        const std::uint32_t rows = work_.levels.count + 1, longest = static_cast<std::uint32_t>(region_.longest_side) + 1;
        for (const Slice& group : groups(false))
            for (const std::size_t d : directions) {
                const Step step{direction_steps[d][0], direction_steps[d][1], direction_steps[d][2]};
                const Index offset = volume().offset(step);
                CellCounter counter(rows, longest, static_cast<std::uint64_t>(group.end - group.begin));
                for (Index n = group.begin; n < group.end; ++n) {
                    const std::uint32_t* v = number + volume().voxels[static_cast<std::size_t>(n)];
                    if (v[-offset] == v[0]) continue;  // not the beginning of a run
                    std::uint32_t run = 1;
                    while (v[run * offset] == v[0]) ++run;
                    counter.add(v[0], run);
                }
                parts.push_back({group.index, step, static_cast<double>(group.end - group.begin), counter.cells()});
            }
        return parts;
    }

    std::vector<Part> zones(Aggregation aggregation, bool by_distance) {
        const bool space = in_space(aggregation);
        std::optional<std::vector<Zone>>& found = zones_[space];
        const int axis = space ? -1 : options_.slice_axis;
        if (!found) {
            std::vector<std::uint32_t> distance;
            if (distances_) distance = distance_to_edge(edge_ != nullptr ? *edge_ : region_, axis);
            found = find_zones(region_, kernels_, work_, axis, distance);
        }
        std::map<Index, std::vector<const Zone*>> groups;
        for (const Zone& zone : *found) groups[by_slice(aggregation) ? zone.slice : all_slices].push_back(&zone);
        std::vector<Part> parts;
        for (const auto& [slice, members] : groups) {
            std::uint32_t largest = 0;
            double voxels = 0;
            for (const Zone* zone : members) {
                largest = std::max(largest, by_distance ? zone->distance : zone->size);
                voxels += zone->size;
            }
            CellCounter counter(work_.levels.count + 1, std::uint64_t{largest} + 1, members.size());
            for (const Zone* zone : members) counter.add(zone->level, by_distance ? zone->distance : zone->size);
            parts.push_back({slice, no_direction, voxels, counter.cells()});
        }
        return parts;
    }

    const Neighbourhoods& neighbourhoods(bool space) {
        Neighbourhoods& found = neighbourhoods_[space];
        if (!found.tones.empty()) return found;
        const Levels& levels = work_.levels;
        if (space && options_.alpha == 0 && options_.distances == std::vector<int>{1}) {
            count_neighbourhoods(region_, kernels_, work_);
            Part part{all_slices, no_direction, static_cast<double>(region_.size), {}};
            for (std::uint32_t k = 1; k <= levels.count; ++k)
                for (std::uint32_t j = 0; j < 27; ++j)
                    if (const std::uint64_t n = work_.dependence_counts[k * std::size_t{27} + j]; n > 0)
                        part.cells.push_back({k, j + 1, static_cast<double>(n)});
            found.dependences.push_back(std::move(part));
            ToneTable tones{{levels.voxels.begin(), levels.voxels.end()}, tone_differences(work_.difference_sums, levels)};
            if (options_.ibsi)
                for (std::size_t v = 0; v < static_cast<std::size_t>(region_.size); ++v)
                    if (region_.neighbours[v] == 0) tones.voxels[work_.level_of[v]] -= 1;
            found.tones.push_back({all_slices, std::move(tones)});
            return found;
        }
        const std::uint32_t* number = volume().number.data();
        std::vector<Index> offsets;
        for (const Step& step : neighbours(space)) offsets.push_back(volume().offset(step));
        for (const Slice& group : groups(space)) {
            ToneTable tones{std::vector<double>(levels.value.size(), 0.0), std::vector<double>(levels.value.size(), 0.0)};
            const std::uint64_t voxels = static_cast<std::uint64_t>(group.end - group.begin);
            CellCounter counter(levels.count + 1, offsets.size() + 2, voxels);
            for (Index n = group.begin; n < group.end; ++n) {
                const std::uint32_t* v = number + volume().voxels[static_cast<std::size_t>(n)];
                const double own = levels.value[v[0]];
                double sum = 0, count = 0;
                std::uint32_t dependence = 1;
                for (const Index offset : offsets) {
                    if (v[offset] == 0) continue;
                    const double other = levels.value[v[offset]];
                    sum += other;
                    count += 1;
                    dependence += std::abs(own - other) <= options_.alpha;
                }
                counter.add(v[0], dependence);
                if (count > 0 || !options_.ibsi) tones.voxels[v[0]] += 1;
                if (count > 0) tones.differences[v[0]] += std::abs(own - sum / count);
            }
            found.dependences.push_back({group.index, no_direction, static_cast<double>(voxels), counter.cells()});
            found.tones.push_back({group.index, std::move(tones)});
        }
        return found;
    }

    std::vector<Part> aggregated(const std::vector<Part>& parts, Aggregation aggregation, bool of_pairs) const {
        const bool keep_slice = by_slice(aggregation);
        const bool keep_direction = keeps_directions(aggregation);
        std::map<std::pair<Index, Step>, std::vector<const Part*>> groups;
        for (const Part& part : parts)
            groups[{keep_slice ? part.slice : all_slices, keep_direction ? part.direction : no_direction}].push_back(&part);
        std::vector<Part> result;
        for (const auto& [key, members] : groups) {
            std::vector<WeightedMatrix> weighted;
            double voxels = 0;
            for (const Part* part : members) {
                weighted.push_back({&part->cells, keep_direction ? 1 : weight(*part, of_pairs)});
                voxels += part->voxels;
            }
            result.push_back({key.first, key.second, voxels, merged(weighted)});
        }
        return result;
    }

    const Region& region_;
    const TextureOptions& options_;
    const Region* edge_;
    bool slices_ = false;     // some request reads single slices
    bool distances_ = false;  // some request reads how far zones lie from the edge
    const Kernels& kernels_;
    Workspace& work_;
    bool passed_ = false;
    std::optional<LevelVolume> volume_;
    // [0] within slices, [1] in space
    std::vector<Part> pairs_[2], runs_[2];
    std::optional<std::vector<Zone>> zones_[2];
    Neighbourhoods neighbourhoods_[2];
};

template <class Parts, class Values>
std::vector<double> mean_over(const Parts& parts, const Values& values_of) {
    using Values_ = decltype(values_of(parts.front()));
    MeanOfDirections<std::tuple_size_v<Values_>> mean;
    for (const auto& part : parts) mean.add(values_of(part));
    const auto values = mean.mean();
    return {values.begin(), values.end()};
}

std::vector<double> values_of(const TextureRequest& request, Counts& counts, const TextureOptions& options, const Kernels& kernels,
                              const Levels& levels) {
    if (request.family == TextureFamily::ngtdm) {
        std::vector<TonePart> parts = counts.tones(request.aggregation);
        std::erase_if(parts, [](const TonePart& part) {
            return std::all_of(part.tones.voxels.begin(), part.tones.voxels.end(), [](double n) { return n == 0; });
        });
        return mean_over(parts, [&](const TonePart& part) { return ngtdm(part.tones, levels); });
    }
    std::vector<Part> parts = counts.matrices(request);
    std::erase_if(parts, [](const Part& part) { return part.cells.empty(); });
    switch (request.family) {
        case TextureFamily::glcm: {
            const double grey_levels = options.grey_levels > 0 ? options.grey_levels : levels.highest;
            const GlcmRules rules{grey_levels, options.symmetric, counts.weighted(request.aggregation), options.correlation};
            std::vector<const CountMatrix*> matrices;
            for (const Part& part : parts) matrices.push_back(&part.cells);
            GlcmScratch scratch;
            const auto values = glcm(matrices, levels, rules, kernels, scratch);
            return {values.begin(), values.end()};
        }
        case TextureFamily::glrlm: {
            std::vector<double> values = mean_over(parts, [&](const Part& part) { return glrlm(part.cells, levels); });
            // PyRadiomics drops no lengths and no direction from a lone matrix without runs: sums over nothing are then 0
            if (parts.empty() && counts.lone_matrix(request.aggregation))
                for (std::size_t n = 0; n < glrlm_names.size(); ++n)
                    if (std::string_view(glrlm_names[n]) == "RunEntropy" || std::string_view(glrlm_names[n]) == "RunVariance") values[n] = 0;
            return values;
        }
        case TextureFamily::glszm: return mean_over(parts, [&](const Part& part) { return glszm(part.cells, levels); });
        case TextureFamily::gldzm: return mean_over(parts, [&](const Part& part) { return gldzm(part.cells, part.voxels, levels); });
        default: break;
    }
    std::vector<double> all = mean_over(parts, [&](const Part& part) { return ngldm(part.cells, part.voxels, levels); });
    if (request.family == TextureFamily::gldm) all.resize(gldm_names.size());
    return all;
}

void check(const Region& region, const TextureOptions& options, const Region* edge) {
    if (options.slice_axis < 0 || options.slice_axis > 2)
        throw std::invalid_argument("slice_axis must be 0, 1 or 2, got " + std::to_string(options.slice_axis));
    if (options.distances.empty()) throw std::invalid_argument("at least one distance is needed");
    for (const int distance : options.distances)
        if (distance < 1 || distance > 1000)
            throw std::invalid_argument("a distance must lie between 1 and 1000 voxels, got " + std::to_string(distance));
    if (!(options.alpha >= 0)) throw std::invalid_argument("alpha must not be negative, got " + std::to_string(options.alpha));
    if (edge == nullptr) return;
    if (edge->shape != region.shape) throw std::invalid_argument("the morphological mask lies in another box than the region");
    for (Index v = 0; v < region.volume; ++v)
        if (region.mask_origin()[v] > edge->mask_origin()[v])
            throw std::invalid_argument("the region has a voxel outside the morphological mask; it must lie within");
}

}  // namespace

std::span<const NamedTextureFamily> texture_families() { return table; }

TextureRequest texture_request(const std::string& family, const std::string& aggregation) {
    std::string known;
    for (const NamedTextureFamily& named : table) known += (known.empty() ? "" : ", ") + std::string(named.name);
    std::size_t f = 0, a = 0;
    while (f < table.size() && family != table[f].name) ++f;
    if (f == table.size()) throw std::invalid_argument("unknown texture family '" + family + "'; known: " + known);
    while (a < codes.size() && aggregation != codes[a]) ++a;
    const bool directed = f < 2, right = a < codes.size() && (a < 6) == directed;
    if (!right)
        throw std::invalid_argument("aggregation '" + aggregation + "' does not go with " + family + "; those that do: " +
                                    (directed ? "BTW3, SUJT, JJUI, ZW7Z, ITBB, IAZD" : "8QNN, 62GR, KOBO"));
    return {static_cast<TextureFamily>(f), static_cast<Aggregation>(a)};
}

std::vector<std::vector<double>> texture(const Region& region, std::span<const std::uint32_t> levels, std::span<const TextureRequest> requests,
                                         const TextureOptions& options, const Region* edge, const Kernels& kernels, Workspace& work) {
    check(region, options, edge);
    place_levels(region, levels, work);
    Counts counts(region, requests, options, edge, kernels, work);
    std::vector<std::vector<double>> out;
    for (const TextureRequest& request : requests) out.push_back(values_of(request, counts, options, kernels, work.levels));
    return out;
}

std::vector<std::array<double, 7>> texture_matrices(const Region& region, std::span<const std::uint32_t> levels, const TextureRequest& request,
                                                    const TextureOptions& options, const Region* edge, const Kernels& kernels,
                                                    Workspace& work) {
    check(region, options, edge);
    place_levels(region, levels, work);
    Counts counts(region, {&request, 1}, options, edge, kernels, work);
    const std::vector<double>& value = work.levels.value;
    std::vector<std::array<double, 7>> rows;
    if (request.family == TextureFamily::ngtdm) {
        for (const TonePart& part : counts.tones(request.aggregation))
            for (std::size_t k = 1; k < value.size(); ++k)
                if (part.tones.voxels[k] > 0)
                    rows.push_back({static_cast<double>(part.slice), 0, 0, 0, value[k], part.tones.voxels[k], part.tones.differences[k]});
        return rows;
    }
    for (const Part& part : counts.matrices(request))
        for (const CountCell& cell : part.cells)
            rows.push_back({static_cast<double>(part.slice), static_cast<double>(part.direction[0]), static_cast<double>(part.direction[1]),
                            static_cast<double>(part.direction[2]), value[cell.row],
                            request.family == TextureFamily::glcm ? value[cell.column] : static_cast<double>(cell.column), cell.count});
    return rows;
}

}  // namespace isthmus
