#include "isthmus/nucleus_candidates.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <set>
#include <utility>

#include "isthmus/basins.hpp"

namespace isthmus {

namespace {

// Separable Gaussian up to three standard deviations; the border's values go on outside.
std::vector<float> smoothed(const std::vector<float>& plane, const Shape2& shape, double sigma) {
    const auto [rows, columns] = shape;
    const auto reach = static_cast<Index>(std::ceil(3 * sigma));
    if (reach == 0) return plane;
    std::vector<float> tap;
    for (Index k = 0; k <= reach; ++k) tap.push_back(static_cast<float>(std::exp(-static_cast<double>(k * k) / (2 * sigma * sigma))));
    const float sum = 2 * std::accumulate(tap.begin() + 1, tap.end(), 0.0F) + tap[0];
    for (float& t : tap) t /= sum;
    std::vector<float> across(plane.size()), out(plane.size()), padded(static_cast<std::size_t>(columns + 2 * reach));
    for (Index j = 0; j < rows; ++j) {
        float* to = across.data() + j * columns;
        const float* own = plane.data() + j * columns;
        for (Index i = 0; i < columns; ++i) to[i] = own[i] * tap[0];
        for (Index k = 1; k <= reach; ++k) {
            const float* up = plane.data() + std::max<Index>(j - k, 0) * columns;
            const float* down = plane.data() + std::min(j + k, rows - 1) * columns;
            const float t = tap[static_cast<std::size_t>(k)];
            for (Index i = 0; i < columns; ++i) to[i] += (up[i] + down[i]) * t;
        }
    }
    for (Index j = 0; j < rows; ++j) {
        const float* from = across.data() + j * columns;
        std::fill(padded.begin(), padded.begin() + reach, from[0]);
        std::copy(from, from + columns, padded.begin() + reach);
        std::fill(padded.end() - reach, padded.end(), from[columns - 1]);
        float* to = out.data() + j * columns;
        const float* middle = padded.data() + reach;
        for (Index i = 0; i < columns; ++i) to[i] = middle[i] * tap[0];
        for (Index k = 1; k <= reach; ++k) {
            const float t = tap[static_cast<std::size_t>(k)];
            for (Index i = 0; i < columns; ++i) to[i] += (middle[i - k] + middle[i + k]) * t;
        }
    }
    return out;
}

// Measures one region after the other; the masks it needs are kept between them.
class Witness {
public:
    Witness(const float* density, const float* relative, const Shape2& shape, const CandidateSettings& settings)
        : density_(density), relative_(relative), shape_(shape), settings_(settings) {}

    // Appends the region (pixels in the order of memory) to `to`.
    void add(const std::int32_t* pixels, std::size_t count, Candidates& to) {
        frame(pixels, count);
        fill();
        const double holes = inner_moments(count, to);
        to.evidence.push_back(evidence(holes));
        to.starts.push_back(static_cast<std::int64_t>(to.pixels.size()));
    }

private:
    static constexpr Index margin = 3;  // of the frame: the ring outside is two pixels wide
    static constexpr int sectors = 12;
    enum : std::uint8_t { unknown, inside, outside, ring };

    Index row_of(std::int32_t p) const { return p / shape_[1]; }
    Index column_of(std::int32_t p) const { return p % shape_[1]; }

    void frame(const std::int32_t* pixels, std::size_t count) {
        top_ = row_of(pixels[0]);
        Index bottom = row_of(pixels[count - 1]), right = 0;
        left_ = shape_[1];
        for (std::size_t n = 0; n < count; ++n) {
            left_ = std::min(left_, column_of(pixels[n]));
            right = std::max(right, column_of(pixels[n]));
        }
        top_ -= margin;
        left_ -= margin;
        high_ = bottom - top_ + 1 + margin;
        wide_ = right - left_ + 1 + margin;
        mask_.assign(static_cast<std::size_t>(high_ * wide_), unknown);
        for (std::size_t n = 0; n < count; ++n) at(row_of(pixels[n]) - top_, column_of(pixels[n]) - left_) = inside;
    }

    std::uint8_t& at(Index y, Index x) { return mask_[static_cast<std::size_t>(y * wide_ + x)]; }

    void fill() {
        stack_.assign(1, 0);
        mask_[0] = outside;
        while (!stack_.empty()) {
            const Index p = stack_.back(), y = p / wide_, x = p % wide_;
            stack_.pop_back();
            const auto visit = [&](bool in, Index q) {
                if (!in || mask_[static_cast<std::size_t>(q)] != unknown) return;
                mask_[static_cast<std::size_t>(q)] = outside;
                stack_.push_back(q);
            };
            visit(y > 0, p - wide_);
            visit(x > 0, p - 1);
            visit(x + 1 < wide_, p + 1);
            visit(y + 1 < high_, p + wide_);
        }
    }

    // Area, moments and values inside; returns the share of the holes. The filled pixels are the candidate's.
    double inner_moments(std::size_t count, Candidates& to) {
        double n = 0, sy = 0, sx = 0, syy = 0, sxx = 0, sxy = 0, value = 0, square = 0;
        for (Index y = margin; y < high_ - margin; ++y)
            for (Index x = margin; x < wide_ - margin; ++x) {
                auto& m = at(y, x);
                if (m == outside) continue;
                m = inside;
                const Index p = (y + top_) * shape_[1] + x + left_;
                to.pixels.push_back(static_cast<std::int32_t>(p));
                const auto dy = static_cast<double>(y), dx = static_cast<double>(x), v = static_cast<double>(density_[p]);
                n += 1;
                sy += dy;
                sx += dx;
                syy += dy * dy;
                sxx += dx * dx;
                sxy += dx * dy;
                value += v;
                square += v * v;
            }
        area_ = n;
        y_ = sy / n;
        x_ = sx / n;
        yy_ = syy / n - y_ * y_ + 1.0 / 12;
        xx_ = sxx / n - x_ * x_ + 1.0 / 12;
        xy_ = sxy / n - x_ * y_;
        mean_ = value / n;
        deviation_ = std::sqrt(std::max(0.0, square / n - mean_ * mean_));
        return (n - static_cast<double>(count)) / n;
    }

    double gradient(Index p) const {
        const Index j = p / shape_[1], i = p % shape_[1];
        const Index up = j > 0 ? p - shape_[1] : p, down = j + 1 < shape_[0] ? p + shape_[1] : p;
        const Index before = i > 0 ? p - 1 : p, after = i + 1 < shape_[1] ? p + 1 : p;
        const double y = (static_cast<double>(density_[down]) - density_[up]) / 2, x = (static_cast<double>(density_[after]) - density_[before]) / 2;
        return std::sqrt(y * y + x * x);
    }

    Evidence evidence(double holes) {
        // one walk over the border: its length (Cauchy and Crofton, four directions), its gradients, the ring around it
        double edges = 0, diagonals = 0, border = 0, border_relative = 0;
        gradients_.clear();
        for (Index y = margin - 1; y < high_ - margin + 1; ++y)
            for (Index x = margin - 1; x < wide_ - margin + 1; ++x) {
                const bool own = at(y, x) == inside;
                diagonals += (own != (at(y + 1, x + 1) == inside)) + (own != (at(y + 1, x - 1) == inside));
                if (!own) continue;
                const int open = (at(y - 1, x) != inside) + (at(y + 1, x) != inside) + (at(y, x - 1) != inside) + (at(y, x + 1) != inside);
                if (open == 0) continue;
                edges += open;
                const Index p = (y + top_) * shape_[1] + x + left_;
                gradients_.push_back(gradient(p));
                border += 1;
                border_relative += static_cast<double>(relative_[p]);
                for (Index b = y - 2; b <= y + 2; ++b)
                    for (Index a = x - 2; a <= x + 2; ++a)
                        if (at(b, a) == outside) at(b, a) = ring;
            }
        const double perimeter = std::numbers::pi / 8 * (edges + diagonals / std::numbers::sqrt2);
        const double determinant = std::max(1e-9, yy_ * xx_ - xy_ * xy_), half = (yy_ + xx_) / 2;
        const double spread = std::sqrt(std::max(0.0, half * half - determinant));
        const double scale = area_ / (std::numbers::pi * std::sqrt(determinant));
        double common = 0, around = 0, around_count = 0, around_relative = 0;
        std::array<double, sectors> sum{}, number{};
        for (Index y = 0; y < high_; ++y)
            for (Index x = 0; x < wide_; ++x) {
                const std::uint8_t m = at(y, x);
                if (m != inside && m != ring) continue;
                const double dy = static_cast<double>(y) - y_, dx = static_cast<double>(x) - x_;
                if (m == inside) {
                    common += (xx_ * dy * dy - 2 * xy_ * dx * dy + yy_ * dx * dx) / determinant <= scale;
                    continue;
                }
                const Index j = y + top_, i = x + left_;
                if (j < 0 || i < 0 || j >= shape_[0] || i >= shape_[1]) continue;
                const Index p = j * shape_[1] + i;
                const auto v = static_cast<double>(density_[p]);
                around += v;
                around_count += 1;
                around_relative += static_cast<double>(relative_[p]);
                const auto sector = std::min<std::size_t>(static_cast<std::size_t>((std::atan2(dy, dx) / std::numbers::pi + 1) / 2 * sectors), sectors - 1);
                sum[sector] += v;
                number[sector] += 1;
            }
        const double outer = around_count > 0 ? around / around_count : mean_;
        sides_.clear();
        for (std::size_t s = 0; s < sectors; ++s)
            if (number[s] > 0) sides_.push_back(mean_ - sum[s] / number[s]);
        std::sort(sides_.begin(), sides_.end());
        std::sort(gradients_.begin(), gradients_.end());
        const double weakest = sides_.empty() ? 0 : sides_.front(), weak = sides_.empty() ? 0 : sides_[sides_.size() / 4];
        const double contrast = mean_ - outer, known = std::abs(contrast) + 0.01;
        const double edge = std::accumulate(gradients_.begin(), gradients_.end(), 0.0) / std::max(border, 1.0);
        const double weak_edge = gradients_.empty() ? 0 : gradients_[gradients_.size() / 4];
        return {std::log(std::sqrt(area_ / std::numbers::pi) / settings_.radius),
                4 * std::numbers::pi * area_ / (perimeter * perimeter),
                area_ / (4 * std::numbers::pi * std::sqrt(determinant)),
                common / (2 * area_ - common),
                std::sqrt(std::max(half - spread, 1e-9) / (half + spread)),
                holes,
                contrast / settings_.contrast,
                contrast / std::max(mean_, 0.01),
                contrast / (deviation_ + 0.02),
                weakest / settings_.contrast,
                weak / settings_.contrast,
                weakest / known,
                weak / known,
                edge / settings_.contrast,
                weak_edge / settings_.contrast,
                weak_edge / (edge + 0.005),
                border_relative / std::max(border, 1.0),
                around_count > 0 ? around_relative / around_count : 0};
    }

    const float* density_;
    const float* relative_;
    Shape2 shape_;
    const CandidateSettings& settings_;
    Index top_ = 0, left_ = 0, high_ = 0, wide_ = 0;
    Bytes mask_;
    std::vector<Index> stack_;
    std::vector<double> gradients_, sides_;
    double area_ = 0, y_ = 0, x_ = 0, yy_ = 0, xx_ = 0, xy_ = 0, mean_ = 0, deviation_ = 0;
};

}  // namespace

Candidates nucleus_candidates(const float* density, const float* relative, const Shape2& shape, const CandidateSettings& settings) {
    Candidates found;
    found.starts.push_back(0);
    Witness witness(density, relative, shape, settings);
    std::vector<Depth> depths;
    for (const double rise : settings.rises) depths.push_back({0, rise});
    const auto n = static_cast<std::size_t>(shape[0] * shape[1]);
    Bytes mask(n);
    std::vector<float> relief(n);
    for (const double level : settings.levels) {
        for (std::size_t p = 0; p < n; ++p) mask[p] = static_cast<double>(relative[p]) > level;
        fill_holes(mask, shape, std::numbers::pi * settings.radius * settings.radius);
        const std::vector<std::int32_t> distance = squared_distance(mask, shape);
        for (std::size_t p = 0; p < n; ++p) relief[p] = std::sqrt(static_cast<float>(distance[p]));
        relief = smoothed(relief, shape, settings.smoothing);
        const Bytes border = opened(distance, shape, settings.opening);
        // first pixel and area: most regions are the same for the next rise
        std::set<std::pair<std::int32_t, std::size_t>> known;
        for (const BasinPixels& basins : basin_pixels(relief.data(), border.data(), shape, depths)) {
            for (std::size_t n = 0; n + 1 < basins.starts.size(); ++n) {
                const std::size_t from = basins.starts[n], count = basins.starts[n + 1] - from;
                const auto area = static_cast<double>(count);
                if (area < settings.least_area || area > settings.most_area) continue;
                if (known.emplace(basins.pixels[from], count).second) witness.add(basins.pixels.data() + from, count, found);
            }
        }
    }
    return found;
}

std::vector<std::int32_t> choose_candidates(const Candidates& candidates, const std::vector<double>& scores, const Shape2& shape, double least_score,
                                            double most_shared) {
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
    std::vector<std::int32_t> labels(static_cast<std::size_t>(shape[0] * shape[1]), 0);
    std::int32_t next = 0;
    for (const std::size_t n : order) {
        if (!(scores[n] >= least_score)) break;
        const auto from = static_cast<std::size_t>(candidates.starts[n]), to = static_cast<std::size_t>(candidates.starts[n + 1]);
        std::size_t taken = 0;
        for (std::size_t k = from; k < to; ++k) taken += labels[static_cast<std::size_t>(candidates.pixels[k])] != 0;
        if (static_cast<double>(taken) > most_shared * static_cast<double>(to - from)) continue;
        ++next;
        for (std::size_t k = from; k < to; ++k) {
            auto& label = labels[static_cast<std::size_t>(candidates.pixels[k])];
            if (label == 0) label = next;
        }
    }
    return labels;
}

}  // namespace isthmus
