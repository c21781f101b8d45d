// The 28 features of every nucleus of a picture of labels.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "isthmus/view.hpp"

namespace isthmus {

constexpr std::size_t nuclear_feature_count = 28;
using NucleusRow = std::array<double, nuclear_feature_count>;

struct NucleiPicture {
    const std::int32_t* labels;       // 0: none
    const std::uint8_t* intensity;    // of the haematoxylin alone
    const double* density;            // of the haematoxylin
    std::array<Index, 2> shape;       // (j, i), C order
    double mpp;                       // micrometres per pixel
};

// One row a label from 1 to `count`, in the order of NUCLEAR_FEATURES (pathology/nucleus.py, which says what each one is). A label without
// pixels, or a feature that needs more of them, is NaN.
std::vector<NucleusRow> nuclear_features(const NucleiPicture& picture, Index count, unsigned workers);

}  // namespace isthmus
