#include "isthmus/label_features.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <unordered_map>

#include "isthmus/engine.hpp"
#include "isthmus/parallel.hpp"

namespace isthmus {

namespace {

template <class Value>
void sweep(const LabelView& labels, const ImageView& image, std::vector<LabelledRegion>& regions) {
    const Value* values = static_cast<const Value*>(image.data);
    std::unordered_map<std::int32_t, std::size_t> place;
    std::int32_t last = 0;  // neighbours usually have the same label
    std::size_t at = 0;
    for (Index k = 0; k < labels.shape[0]; ++k)
        for (Index j = 0; j < labels.shape[1]; ++j) {
            const std::int32_t* row = labels.data + k * labels.stride[0] + j * labels.stride[1];
            const Value* x = values + k * image.stride[0] + j * image.stride[1];
            for (Index i = 0; i < labels.shape[2]; ++i) {
                const std::int32_t label = row[i];
                if (label == 0) continue;
                const double value = static_cast<double>(x[i * image.stride[2]]);
                if (label != last) {
                    const auto [found, added] = place.try_emplace(label, regions.size());
                    if (added) regions.push_back({label, 0, 0, {k, j, i}, {k + 1, j + 1, i + 1}, value, value});
                    last = label;
                    at = found->second;
                }
                LabelledRegion& region = regions[at];
                ++region.voxels;
                region.not_finite += !std::isfinite(value);
                region.low = {region.low[0], std::min(region.low[1], j), std::min(region.low[2], i)};
                region.high = {k + 1, std::max(region.high[1], j + 1), std::max(region.high[2], i + 1)};
                region.minimum = std::min(region.minimum, value);
                region.maximum = std::max(region.maximum, value);
            }
        }
    std::sort(regions.begin(), regions.end(), [](const LabelledRegion& a, const LabelledRegion& b) { return a.label < b.label; });
}

// The region's part of the image.
ImageView box_of(const ImageView& image, const LabelledRegion& region) {
    ImageView box = image;
    const Index offset = region.low[0] * image.stride[0] + region.low[1] * image.stride[1] + region.low[2] * image.stride[2];
    switch (image.scalar) {
        case Scalar::int16: box.data = static_cast<const std::int16_t*>(image.data) + offset; break;
        case Scalar::int32: box.data = static_cast<const std::int32_t*>(image.data) + offset; break;
        case Scalar::float32: box.data = static_cast<const float*>(image.data) + offset; break;
        case Scalar::float64: box.data = static_cast<const double*>(image.data) + offset; break;
    }
    for (std::size_t a = 0; a < 3; ++a) box.shape[a] = region.high[a] - region.low[a];
    return box;
}

// Scratch memory of one thread.
struct Bench {
    std::vector<std::uint8_t> mask;
    Workspace work;

    MaskView mask_of(const LabelView& labels, const LabelledRegion& region) {
        std::array<Index, 3> shape;
        for (std::size_t a = 0; a < 3; ++a) shape[a] = region.high[a] - region.low[a];
        mask.resize(static_cast<std::size_t>(shape[0] * shape[1] * shape[2]));
        std::uint8_t* out = mask.data();
        for (Index k = region.low[0]; k < region.high[0]; ++k)
            for (Index j = region.low[1]; j < region.high[1]; ++j) {
                const std::int32_t* row = labels.data + k * labels.stride[0] + j * labels.stride[1] + region.low[2];
                for (Index i = 0; i < shape[2]; ++i) out[i] = row[i] == region.label;
                out += shape[2];
            }
        return {mask.data(), shape, {shape[1] * shape[2], shape[2], 1}};
    }
};

}  // namespace

std::vector<LabelledRegion> labelled_regions(const LabelView& labels, const ImageView& image) {
    if (labels.shape != image.shape) throw std::invalid_argument("label map and image have different shapes");
    std::vector<LabelledRegion> regions;
    switch (image.scalar) {
        case Scalar::int16: sweep<std::int16_t>(labels, image, regions); break;
        case Scalar::int32: sweep<std::int32_t>(labels, image, regions); break;
        case Scalar::float32: sweep<float>(labels, image, regions); break;
        case Scalar::float64: sweep<double>(labels, image, regions); break;
    }
    return regions;
}

LabelFeatures label_features(const LabelView& labels, const ImageView& image, std::array<double, 3> spacing,
                             const std::vector<LabelledRegion>& regions, std::span<const double> edges, std::span<const std::int64_t> ends, unsigned wanted,
                             unsigned workers, const Kernels& kernels) {
    if (labels.shape != image.shape) throw std::invalid_argument("label map and image have different shapes");
    std::int64_t before = 0;
    for (const std::int64_t end : ends) {
        if (end < before || end > static_cast<std::int64_t>(edges.size())) throw std::invalid_argument("the ends of edges must ascend within them");
        before = end;
    }
    if (ends.size() != regions.size()) throw std::invalid_argument("there must be one end of edges for each region");
    std::size_t columns = 0;
    for (std::size_t f = 0; f < families().size(); ++f)
        if (wanted >> f & 1u) columns += families()[f].features.size();
    LabelFeatures result{std::vector<double>(regions.size() * columns, std::numeric_limits<double>::quiet_NaN()),
                         std::vector<std::string>(regions.size())};
    in_parallel(
        static_cast<Index>(regions.size()), workers, [] { return Bench(); },
        [&](Bench& bench, Index r) {
            const std::size_t n = static_cast<std::size_t>(r);
            const std::size_t begin = n == 0 ? 0 : static_cast<std::size_t>(ends[n - 1]), end = static_cast<std::size_t>(ends[n]);
            if (begin == end) return;
            try {
                const Region region(bench.mask_of(labels, regions[n]), spacing);
                const Sample sample(region, box_of(image, regions[n]));
                const std::vector<double> values = features(region, sample, edges.subspan(begin, end - begin), wanted, kernels, bench.work);
                std::copy(values.begin(), values.end(), result.values.begin() + static_cast<std::ptrdiff_t>(n * columns));
            } catch (const std::invalid_argument& error) {
                result.failures[n] = error.what();
            }
        });
    return result;
}

}  // namespace isthmus
