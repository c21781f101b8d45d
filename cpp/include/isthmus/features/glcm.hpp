// Grey level co-occurrence: symmetric, distance 1, each direction by itself, mean over directions.
#pragma once

#include <array>
#include <vector>

#include "isthmus/correlation_coefficient.hpp"
#include "isthmus/kernels.hpp"
#include "isthmus/logarithms.hpp"
#include "isthmus/workspace.hpp"

namespace isthmus {

inline constexpr std::array glcm_names = {
    "Autocorrelation", "ClusterProminence", "ClusterShade", "ClusterTendency", "Contrast", "Correlation", "DifferenceAverage",
    "DifferenceEntropy", "DifferenceVariance", "Id", "Idm", "Idmn", "Idn", "Imc1", "Imc2", "InverseVariance", "JointAverage",
    "JointEnergy", "JointEntropy", "MCC", "MaximumProbability", "SumAverage", "SumEntropy", "SumSquares"};

inline constexpr std::size_t glcm_joint_average = 16, glcm_mcc = 19;

// What all formulas need of one symmetric matrix: how often each level, each i + j and each |i - j| occurs, and sums over cells.
class CooccurrenceSums {
public:
    struct Bin {
        double value, count;
    };
    std::vector<Bin> level, sum, difference;  // ascending, none empty
    double total = 0, squares = 0, n_log_n = 0, cells = 0, largest = 0;

    void fill(const std::vector<PairCell>& pairs, const Levels& levels, const CountLogarithms& n_log);

private:
    std::vector<double> marginal_, sums_, differences_;  // all zero between calls
};

struct GlcmScratch {
    CooccurrenceSums sums;
    CorrelationScratch correlation;
};

// The coefficient MCC costs more than all others together; without it, its place holds 0.
std::array<double, glcm_names.size()> glcm(const DirectionCounts* directions, const Levels& levels, const Kernels& kernels,
                                           GlcmScratch& scratch, bool with_mcc = true);

}  // namespace isthmus
