// Grey level co-occurrence.
#pragma once

#include <array>

#include "isthmus/count_matrix.hpp"
#include "isthmus/kernels.hpp"
#include "isthmus/workspace.hpp"

namespace isthmus {

inline constexpr std::array glcm_names = {
    "Autocorrelation", "ClusterProminence", "ClusterShade", "ClusterTendency", "Contrast", "Correlation", "DifferenceAverage",
    "DifferenceEntropy", "DifferenceVariance", "Id", "Idm", "Idmn", "Idn", "Imc1", "Imc2", "InverseVariance", "JointAverage",
    "JointEnergy", "JointEntropy", "MCC", "MaximumProbability", "SumAverage", "SumEntropy", "SumSquares"};

// Symmetric, distance 1: each of the 13 directions by itself, then the mean.
std::array<double, glcm_names.size()> glcm(const DirectionCounts* directions, const Levels& levels, const Kernels& kernels);

struct GlcmRules {
    double grey_levels;         // N_g of the normalised inverse differences
    bool symmetric = true;      // the matrix is its own transpose
    bool weighted = false;      // counts are not whole
    bool real_imc2 = false;     // where rounding makes the root imaginary, 0 (IBSI) and not NaN (PyRadiomics)
    bool correlation = true;    // MCC too; else NaN
};

// Of one matrix of ordered pairs: rows and columns are levels.
std::array<double, glcm_names.size()> glcm(const CountMatrix& pairs, const Levels& levels, const GlcmRules& rules, const Kernels& kernels);

}  // namespace isthmus
