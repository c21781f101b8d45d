// Grey level run length: each direction by itself, mean over directions.
#pragma once

#include <array>

#include "isthmus/count_matrix.hpp"
#include "isthmus/workspace.hpp"

namespace isthmus {

inline constexpr std::array glrlm_names = {
    "GrayLevelNonUniformity", "GrayLevelNonUniformityNormalized", "GrayLevelVariance", "HighGrayLevelRunEmphasis",
    "LongRunEmphasis", "LongRunHighGrayLevelEmphasis", "LongRunLowGrayLevelEmphasis", "LowGrayLevelRunEmphasis", "RunEntropy",
    "RunLengthNonUniformity", "RunLengthNonUniformityNormalized", "RunPercentage", "RunVariance", "ShortRunEmphasis",
    "ShortRunHighGrayLevelEmphasis", "ShortRunLowGrayLevelEmphasis"};

std::array<double, glrlm_names.size()> glrlm(const DirectionCounts* directions, const Levels& levels, Index longest);

// Of one matrix: rows are levels, columns run lengths.
std::array<double, glrlm_names.size()> glrlm(const CountMatrix& runs, const Levels& levels);

}  // namespace isthmus
