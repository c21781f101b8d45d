// Regions that may be nuclei, what speaks for each, and the choice among them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "isthmus/plane.hpp"

namespace isthmus {

constexpr std::size_t evidence_count = 18;
// In the order of EVIDENCE (pathology/candidates.py, which says what each one is).
using Evidence = std::array<double, evidence_count>;

struct CandidateSettings {
    std::vector<double> levels;  // thresholds of the relative density, 0: surroundings, 1: nuclei
    std::vector<double> rises;   // relative depths of the passes that part neighbours
    double radius;               // typical half-width of a nucleus, pixels
    double contrast;             // of nuclei and surroundings on the whole slide
    Index opening;               // radius, pixels
    double smoothing;            // standard deviation of the distances' smoothing, pixels
    double least_area, most_area;
};

struct Candidates {
    std::vector<Evidence> evidence;
    std::vector<std::int32_t> pixels;  // of one candidate after the other, holes filled, each in the order of memory
    std::vector<std::int64_t> starts;  // one more than candidates
};

// At every level: what is denser, its small holes filled, opened; the basins of its distances to the border, for every rise. A region that two rises
// give alike comes once.
Candidates nucleus_candidates(const float* density, const float* relative, const Shape2& shape, const CandidateSettings& settings);

// The candidate of the highest score first, then the next one of which at most the share `most_shared` is taken, and so on down to `least_score`; equal
// ones in their order. What is taken stays with the first. Labels are numbered as chosen.
std::vector<std::int32_t> choose_candidates(const Candidates& candidates, const std::vector<double>& scores, const Shape2& shape, double least_score,
                                            double most_shared);

}  // namespace isthmus
