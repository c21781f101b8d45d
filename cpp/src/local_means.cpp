#include "isthmus/local_means.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace isthmus {

namespace {

using Whole = std::vector<std::int32_t>;
constexpr double unit = 65536;  // a float's value in whole numbers

std::int32_t whole(double value) { return static_cast<std::int32_t>(std::floor(value * unit + 0.5)); }

// Mean over a box of `width` x `width` pixels, as far as it lies in the picture.
class Box {
public:
    Box(const Shape2& shape, Index width) : shape_(shape), half_(width / 2), column_(static_cast<std::size_t>(shape[1])), row_(static_cast<std::size_t>(shape[1])) {
        for (Index i = 0; i < shape[1]; ++i) along_.push_back(1.0 / static_cast<double>(std::min(i + half_, shape[1] - 1) - std::max<Index>(i - half_, 0) + 1));
    }

    void apply(Whole& plane) {
        const auto [rows, columns] = shape_;
        source_ = plane;
        std::fill(column_.begin(), column_.end(), 0);
        const auto add = [&](Index j, std::int64_t sign) {
            const std::int32_t* from = source_.data() + j * columns;
            for (Index i = 0; i < columns; ++i) column_[static_cast<std::size_t>(i)] += sign * from[i];
        };
        for (Index j = 0; j < std::min(half_, rows); ++j) add(j, 1);
        for (Index j = 0; j < rows; ++j) {
            if (j + half_ < rows) add(j + half_, 1);
            if (j > half_) add(j - half_ - 1, -1);
            const double across = 1.0 / static_cast<double>(std::min(j + half_, rows - 1) - std::max<Index>(j - half_, 0) + 1);
            std::int64_t sum = 0;
            for (Index i = 0; i < std::min(half_, columns); ++i) sum += column_[static_cast<std::size_t>(i)];
            for (Index i = 0; i < columns; ++i) {
                if (i + half_ < columns) sum += column_[static_cast<std::size_t>(i + half_)];
                if (i > half_) sum -= column_[static_cast<std::size_t>(i - half_ - 1)];
                row_[static_cast<std::size_t>(i)] = sum;
            }
            std::int32_t* to = plane.data() + j * columns;
            for (Index i = 0; i < columns; ++i)
                to[i] = static_cast<std::int32_t>(std::floor(static_cast<double>(row_[static_cast<std::size_t>(i)]) * (across * along_[static_cast<std::size_t>(i)]) + 0.5));
        }
    }

private:
    Shape2 shape_;
    Index half_;
    std::vector<std::int64_t> column_, row_;
    std::vector<double> along_;
    Whole source_;
};

}  // namespace

std::vector<float> between_means(const float* values, const Shape2& shape, const TwoMeans& slide, Index width, Index turns) {
    const auto n = static_cast<std::size_t>(shape[0] * shape[1]);
    Box box(shape, width);
    const auto spread = [&](Whole& plane) {
        for (int pass = 0; pass < 3; ++pass) box.apply(plane);
    };
    Whole everything(n), weight(n), inside(n);
    for (std::size_t p = 0; p < n; ++p) everything[p] = whole(values[p]);
    spread(everything);
    std::vector<float> middle(n, static_cast<float>(slide.threshold)), out(n);
    constexpr double little = 1e-3;
    for (Index turn = 0; turn < turns; ++turn) {
        for (std::size_t p = 0; p < n; ++p) {
            const bool dark = values[p] > middle[p];
            weight[p] = dark ? static_cast<std::int32_t>(unit) : 0;
            inside[p] = dark ? whole(values[p]) : 0;
        }
        spread(weight);
        spread(inside);
        for (std::size_t p = 0; p < n; ++p) {
            const double w = weight[p] / unit, in = inside[p] / unit, all = everything[p] / unit;
            const double dark = (in + little * slide.dark) / (w + little);
            const double pale = (all - in + little * slide.pale) / (1 - w + little);
            middle[p] = static_cast<float>((dark + pale) / 2);
            out[p] = static_cast<float>((values[p] - pale) / std::max(dark - pale, 1e-3));
        }
    }
    return out;
}

}  // namespace isthmus
