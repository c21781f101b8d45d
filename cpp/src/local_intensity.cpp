#include "isthmus/features/local_intensity.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "isthmus/region.hpp"

namespace isthmus {

namespace {

// One row of a ball of voxels: offsets dk, dj and i from -reach to reach.
struct BallRow {
    Index dk, dj, reach;
};

// Of the ball's voxels those that can lie in the image of some voxel of it: with a tiny spacing the ball is far larger.
std::vector<BallRow> ball(const std::array<double, 3>& spacing, const std::array<Index, 3>& shape) {
    const double radius = 10 * std::cbrt(3 / (4 * 3.14159265358979323846));  // mm, of 1 cm3
    const double limit = radius * radius * (1 + 1e-12);                      // a centre on the surface belongs to it
    auto within = [&](double reach, std::size_t axis) {
        return static_cast<Index>(std::min(reach / spacing[axis], static_cast<double>(shape[axis] - 1)));
    };
    std::vector<BallRow> rows;
    const Index nk = within(radius + spacing[0], 0), nj = within(radius + spacing[1], 1);
    for (Index dk = -nk; dk <= nk; ++dk)
        for (Index dj = -nj; dj <= nj; ++dj) {
            const double k = static_cast<double>(dk) * spacing[0], j = static_cast<double>(dj) * spacing[1], rest = limit - k * k - j * j;
            if (rest >= 0) rows.push_back({dk, dj, within(std::sqrt(rest), 2)});
        }
    return rows;
}

template <class Source>
class Peaks {
public:
    Peaks(const Source* image, const ImageView& view, const MaskView& mask, const std::array<double, 3>& spacing)
        : image_(image), view_(view), mask_(mask), rows_(ball(spacing, view.shape)) {}

    std::array<double, 2> run() {
        const BoundingBox box = bounding_box(mask_);
        if (!box.found) throw std::invalid_argument("the mask is empty");
        std::array<Index, 3> margin{};
        for (const BallRow& r : rows_) margin = {std::max(margin[0], r.dk), std::max(margin[1], r.dj), std::max(margin[2], r.reach)};
        for (std::size_t a = 0; a < 3; ++a) {
            low_[a] = box.low[a] - margin[a];
            size_[a] = box.high[a] + margin[a] - low_[a];
        }
        const Index first = margin[2], length = box.high[2] - box.low[2];
        make_ring();
        for (Index k = box.low[0]; k < box.high[0]; ++k) {
            for (Index dk = k == box.low[0] ? -margin[0] : margin[0]; dk <= margin[0]; ++dk) read_plane(k + dk);
            for (Index j = box.low[1]; j < box.high[1]; ++j) measure_row(k, j, box.low[2], first, length);
        }
        if (not_finite_ > 0) throw std::invalid_argument(std::to_string(not_finite_) + " voxels of the intensity mask are NaN or infinite");
        return {at_maximum_, anywhere_};
    }

private:
    // Running sums and counts along i of the planes that the ball reaches, a ring of them.
    void make_ring() {
        for (const BallRow& r : rows_) depth_ = std::max(depth_, 2 * r.dk + 1);
        const auto cells = static_cast<std::size_t>(depth_ * size_[1] * (size_[2] + 1));
        sum_.assign(cells, 0);
        count_.assign(cells, 0);
        whole_.assign(static_cast<std::size_t>(depth_ * size_[1]), false);
    }

    Index row_of(Index k, Index j) const { return ((k - low_[0]) % depth_) * size_[1] + (j - low_[1]); }

    void read_plane(Index k) {
        for (Index j = low_[1]; j < low_[1] + size_[1]; ++j) {
            const Index row = row_of(k, j);
            double* sum = sum_.data() + row * (size_[2] + 1);
            double* count = count_.data() + row * (size_[2] + 1);
            const bool inside = k >= 0 && k < view_.shape[0] && j >= 0 && j < view_.shape[1];
            const Source* p = inside ? image_ + k * view_.stride[0] + j * view_.stride[1] : nullptr;
            double total = 0, voxels = 0;
            for (Index n = 0; n < size_[2]; ++n) {
                const Index i = low_[2] + n;
                if (inside && i >= 0 && i < view_.shape[2])
                    if (const double value = static_cast<double>(p[i * view_.stride[2]]); std::isfinite(value)) {
                        total += value;
                        voxels += 1;
                    }
                sum[n + 1] = total;
                count[n + 1] = voxels;
            }
            whole_[static_cast<std::size_t>(row)] = voxels == static_cast<double>(size_[2]);
        }
    }

    void measure_row(Index k, Index j, Index low, Index first, Index length) {
        const std::uint8_t* mask = mask_.data + k * mask_.stride[0] + j * mask_.stride[1] + low;
        Index begin = 0, end = length;
        while (begin < end && mask[begin] == 0) ++begin;
        while (end > begin && mask[end - 1] == 0) --end;
        if (begin == end) return;
        const auto n = static_cast<std::size_t>(end - begin);
        total_.assign(n, 0);
        voxels_.assign(n, 0);
        double certain = 0;  // voxels of rows that miss none
        for (const BallRow& r : rows_) {
            const Index row = row_of(k + r.dk, j + r.dj);
            const Index from = row * (size_[2] + 1) + first + begin - r.reach, to = row * (size_[2] + 1) + first + begin + r.reach + 1;
            const double *low_sum = sum_.data() + from, *high_sum = sum_.data() + to;
            double* total = total_.data();
            for (std::size_t i = 0; i < n; ++i) total[i] += high_sum[i] - low_sum[i];
            if (whole_[static_cast<std::size_t>(row)]) {
                certain += static_cast<double>(2 * r.reach + 1);
                continue;
            }
            const double *low_count = count_.data() + from, *high_count = count_.data() + to;
            double* voxels = voxels_.data();
            for (std::size_t i = 0; i < n; ++i) voxels[i] += high_count[i] - low_count[i];
        }
        const Source* image = image_ + k * view_.stride[0] + j * view_.stride[1];
        for (std::size_t i = 0; i < n; ++i) {
            if (mask[begin + static_cast<Index>(i)] == 0) continue;
            const double value = static_cast<double>(image[(low + begin + static_cast<Index>(i)) * view_.stride[2]]);
            if (!std::isfinite(value)) {
                ++not_finite_;
                continue;
            }
            const double mean = total_[i] / (certain + voxels_[i]);
            anywhere_ = std::max(anywhere_, mean);
            if (value > maximum_) maximum_ = value, at_maximum_ = mean;
            if (value == maximum_) at_maximum_ = std::max(at_maximum_, mean);
        }
    }

    const Source* image_;
    const ImageView& view_;
    const MaskView& mask_;
    std::vector<BallRow> rows_;
    std::array<Index, 3> low_{}, size_{};
    Index depth_ = 0, not_finite_ = 0;
    std::vector<double> sum_, count_, total_, voxels_;
    std::vector<bool> whole_;
    double maximum_ = -std::numeric_limits<double>::infinity(), at_maximum_ = maximum_, anywhere_ = maximum_;
};

}  // namespace

std::array<double, local_intensity_names.size()> local_intensity(const ImageView& image, const MaskView& mask, std::array<double, 3> spacing) {
    if (image.shape != mask.shape) throw std::invalid_argument("image and mask have different shapes");
    for (double s : spacing)
        if (!(s > 0)) throw std::invalid_argument("spacing must be positive, got " + std::to_string(s));
    switch (image.scalar) {
        case Scalar::int16: return Peaks(static_cast<const std::int16_t*>(image.data), image, mask, spacing).run();
        case Scalar::int32: return Peaks(static_cast<const std::int32_t*>(image.data), image, mask, spacing).run();
        case Scalar::float32: return Peaks(static_cast<const float*>(image.data), image, mask, spacing).run();
        default: return Peaks(static_cast<const double*>(image.data), image, mask, spacing).run();
    }
}

}  // namespace isthmus
