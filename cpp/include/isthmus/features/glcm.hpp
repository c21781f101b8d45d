// Grey level co-occurrence.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "isthmus/correlation_coefficient.hpp"
#include "isthmus/count_matrix.hpp"
#include "isthmus/kernels.hpp"
#include "isthmus/logarithms.hpp"
#include "isthmus/workspace.hpp"

namespace isthmus {

inline constexpr std::array glcm_names = {
    "Autocorrelation", "ClusterProminence", "ClusterShade", "ClusterTendency", "Contrast", "Correlation", "DifferenceAverage",
    "DifferenceEntropy", "DifferenceVariance", "Id", "Idm", "Idmn", "Idn", "Imc1", "Imc2", "InverseVariance", "JointAverage",
    "JointEnergy", "JointEntropy", "MCC", "MaximumProbability", "SumAverage", "SumEntropy", "SumSquares"};

inline constexpr std::size_t glcm_imc1 = 13, glcm_joint_average = 16, glcm_joint_entropy = 18, glcm_mcc = 19;

// What all formulas need of one matrix: how often each level, each i + j and each |i - j| occurs, and sums over cells.
class CooccurrenceSums {
public:
    struct Bin {
        double value, count;
    };
    std::vector<Bin> level, sum, difference;  // ascending, none empty
    std::vector<Bin> column;                  // levels of the second voxel; empty: as those of the first, the matrix is symmetric
    double total = 0, squares = 0, n_log_n = 0, cells = 0, largest = 0;

    void fill(const std::vector<PairCell>& pairs, const Levels& levels, const CountLogarithms& n_log);
    // From ordered pairs; `scale` makes probabilities of weighted counts, `n_log` is n log2 n or p log2(p + eps).
    template <class Logarithms>
    void fill(const CountMatrix& pairs, double scale, bool symmetric, const Levels& levels, const Logarithms& n_log);

private:
    std::vector<double> marginal_, sums_, differences_;  // all zero between calls
};

struct GlcmScratch {
    CooccurrenceSums sums;
    CorrelationScratch correlation;
    std::vector<double> mcc;
};

// Symmetric, distance 1: each of the 13 directions by itself, then the mean. The coefficient MCC costs more than all others
// together; without it, its place holds 0.
std::array<double, glcm_names.size()> glcm(const DirectionCounts* directions, const Levels& levels, const Kernels& kernels,
                                           GlcmScratch& scratch, bool with_mcc = true);

struct GlcmRules {
    double grey_levels;     // N_g of the normalised inverse differences
    bool symmetric = true;  // the matrices are their own transposes
    bool weighted = false;  // counts are not whole
    bool with_mcc = true;   // else it is NaN
};

// The mean over matrices of ordered pairs, none empty.
std::array<double, glcm_names.size()> glcm(std::span<const CountMatrix* const> matrices, const Levels& levels, const GlcmRules& rules,
                                           const Kernels& kernels, GlcmScratch& scratch);

}  // namespace isthmus
