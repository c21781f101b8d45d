// Features of every region of one label map.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "isthmus/kernels.hpp"
#include "isthmus/view.hpp"

namespace isthmus {

struct LabelView {
    const std::int32_t* data;
    std::array<Index, 3> shape;
    std::array<Index, 3> stride;  // elements; stride[2] is 1
};

// What one sweep over the map finds of one label.
struct LabelledRegion {
    std::int32_t label = 0;
    Index voxels = 0, not_finite = 0;
    std::array<Index, 3> low{0, 0, 0}, high{0, 0, 0};  // its box; high is one past the last voxel
    double minimum = 0, maximum = 0;                   // intensities
};

// Every label but 0, ascending.
std::vector<LabelledRegion> labelled_regions(const LabelView& labels, const ImageView& image);

struct LabelFeatures {
    std::vector<double> values;        // a row for every region; NaN where it was left out or failed
    std::vector<std::string> failures;  // why, else empty
};

// The families whose bit is set, for each region with its own edges: those up to ends[region], from the region before on. A region
// without edges is left out. The values are those of the region alone in its box.
LabelFeatures label_features(const LabelView& labels, const ImageView& image, std::array<double, 3> spacing,
                             const std::vector<LabelledRegion>& regions, std::span<const double> edges, std::span<const std::int64_t> ends, unsigned families,
                             unsigned workers, const Kernels& kernels);

}  // namespace isthmus
