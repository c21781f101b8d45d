// Grey level co-occurrence: symmetric, distance 1, each direction by itself, mean over directions.
#pragma once

#include <array>

#include "isthmus/kernels.hpp"
#include "isthmus/workspace.hpp"

namespace isthmus {

inline constexpr std::array glcm_names = {
    "Autocorrelation", "ClusterProminence", "ClusterShade", "ClusterTendency", "Contrast", "Correlation", "DifferenceAverage",
    "DifferenceEntropy", "DifferenceVariance", "Id", "Idm", "Idmn", "Idn", "Imc1", "Imc2", "InverseVariance", "JointAverage",
    "JointEnergy", "JointEntropy", "MCC", "MaximumProbability", "SumAverage", "SumEntropy", "SumSquares"};

std::array<double, glcm_names.size()> glcm(const DirectionCounts* directions, const Levels& levels, const Kernels& kernels);

}  // namespace isthmus
