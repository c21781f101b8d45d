#include "isthmus/nuclei.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "isthmus/parallel.hpp"

namespace isthmus {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr Index pad = 4, reach = 4, points = 64, outline_reach = 8;
constexpr int levels = 8, level_width = 32;
constexpr double outline_sigma = 2.0;  // in points of the outline

enum Place : std::size_t {
    area, area_bbox, eccentricity, circularity, elongation, extent, major_axis_length, minor_axis_length, perimeter, solidity, curve_mean,
    curve_max, curve_min, curve_std, intensity_mean, intensity_std, intensity_max, intensity_min, intensity_skewness, intensity_kurtosis,
    intensity_entropy, contrast, homogeneity, energy, correlation, haematoxylin_mean, haematoxylin_std, equivalent_diameter
};

struct Point {
    double x, y;
};

struct Box {
    Index top, left, bottom, right;  // bottom and right are the last ones inside
    bool empty() const { return bottom < top; }
};

template <std::size_t Size>
std::array<double, Size> gaussian(double sigma) {
    std::array<double, Size> weight;
    double sum = 0;
    for (std::size_t n = 0; n < Size; ++n) {
        const double x = static_cast<double>(n) - static_cast<double>(Size / 2);
        weight[n] = std::exp(-0.5 * x * x / (sigma * sigma));
        sum += weight[n];
    }
    for (double& w : weight) w /= sum;
    return weight;
}

double signed_area(const std::vector<Point>& line) {
    double sum = 0;
    for (std::size_t n = 0; n + 1 < line.size(); ++n) sum += line[n].x * line[n + 1].y - line[n + 1].x * line[n].y;
    return sum / 2;
}

double hull_area(std::vector<Point> at) {
    std::sort(at.begin(), at.end(), [](const Point& a, const Point& b) { return a.x < b.x || (a.x == b.x && a.y < b.y); });
    std::vector<Point> hull;
    const auto add = [&](const Point& p, std::size_t least) {
        while (hull.size() > least) {
            const Point &a = hull[hull.size() - 2], &b = hull.back();
            if ((b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x) > 0) break;
            hull.pop_back();
        }
        hull.push_back(p);
    };
    for (const Point& p : at) add(p, 1);
    const std::size_t lower = hull.size();
    for (auto p = at.rbegin() + 1; p != at.rend(); ++p) add(*p, lower);
    return std::abs(signed_area(hull));
}

// The longest closed line where the lightly smoothed nucleus crosses one half; marching squares. Its first point comes again as the last.
class Outline {
public:
    void draw(const NucleiPicture& picture, std::int32_t label, const Box& box) {
        height_ = box.bottom - box.top + 1 + 2 * pad;
        width_ = box.right - box.left + 1 + 2 * pad;
        smooth(picture, label, box);
        seen_.assign(static_cast<std::size_t>(height_ * width_), 0);
        line.clear();
        for (Index r = 0; r < height_; ++r)
            for (Index c = 0; c + 1 < width_; ++c)
                if (seen_[at(r, c)] == 0 && above(r, c) != above(r, c + 1)) {
                    follow(r, c);
                    if (found_.size() > line.size()) line.swap(found_);
                }
        if (line.size() < 4) {
            line.clear();
            return;
        }
        line.pop_back();
        if (signed_area_of_open() < 0) std::reverse(line.begin(), line.end());
        const auto first = std::min_element(line.begin(), line.end(),
                                            [](const Point& a, const Point& b) { return a.y < b.y || (a.y == b.y && a.x < b.x); });
        std::rotate(line.begin(), first, line.end());
        line.push_back(line.front());
    }

    std::vector<Point> line;

private:
    enum class Side { top, right, bottom, left };

    std::size_t at(Index r, Index c) const { return static_cast<std::size_t>(r * width_ + c); }
    bool above(Index r, Index c) const { return value_[at(r, c)] > 0.5; }

    double signed_area_of_open() const {
        double sum = signed_area(line);
        return sum + (line.back().x * line.front().y - line.front().x * line.back().y) / 2;
    }

    void smooth(const NucleiPicture& picture, std::int32_t label, const Box& box) {
        static const auto weight = gaussian<2 * reach + 1>(1.0);
        value_.assign(static_cast<std::size_t>(height_ * width_), 0.0);
        across_.assign(value_.size(), 0.0);
        for (Index j = box.top; j <= box.bottom; ++j)
            for (Index i = box.left; i <= box.right; ++i)
                if (picture.labels[j * picture.shape[1] + i] == label)
                    for (Index d = -reach; d <= reach; ++d)
                        across_[at(j - box.top + pad, i - box.left + pad + d)] += weight[static_cast<std::size_t>(d + reach)];
        for (Index r = pad; r < height_ - pad; ++r)
            for (Index d = -reach; d <= reach; ++d) {
                const double w = weight[static_cast<std::size_t>(d + reach)];
                for (Index c = 0; c < width_; ++c) value_[at(r + d, c)] += w * across_[at(r, c)];
            }
    }

    static Point crossing(double r0, double c0, double r1, double c1, double v0, double v1) {
        const double share = (0.5 - v0) / (v1 - v0);
        return {c0 + share * (c1 - c0), r0 + share * (r1 - r0)};
    }

    Point point(Index r, Index c, Side side) const {
        const Index r0 = r + (side == Side::bottom), c0 = c + (side == Side::right);
        const bool flat = side == Side::top || side == Side::bottom;
        const Index r1 = r0 + !flat, c1 = c0 + flat;
        return crossing(static_cast<double>(r0), static_cast<double>(c0), static_cast<double>(r1), static_cast<double>(c1), value_[at(r0, c0)],
                        value_[at(r1, c1)]);
    }

    bool crosses(Index r, Index c, Side side) const {
        switch (side) {
            case Side::top: return above(r, c) != above(r, c + 1);
            case Side::bottom: return above(r + 1, c) != above(r + 1, c + 1);
            case Side::left: return above(r, c) != above(r + 1, c);
            default: return above(r, c + 1) != above(r + 1, c + 1);
        }
    }

    // Where a line that enters a cell leaves it. With four crossings the cell's mean says which corners belong together.
    Side leaving(Index r, Index c, Side entered) const {
        int crossed = 0;
        Side other = entered;
        for (const Side side : {Side::top, Side::right, Side::bottom, Side::left})
            if (crosses(r, c, side)) {
                ++crossed;
                if (side != entered) other = side;
            }
        if (crossed == 2) return other;
        const double mean = 0.25 * (value_[at(r, c)] + value_[at(r, c + 1)] + value_[at(r + 1, c)] + value_[at(r + 1, c + 1)]);
        // cut off the corners top left and bottom right, or the two others
        const bool top_left = above(r, c) != (mean > 0.5);
        switch (entered) {
            case Side::top: return top_left ? Side::left : Side::right;
            case Side::left: return top_left ? Side::top : Side::bottom;
            case Side::bottom: return top_left ? Side::right : Side::left;
            default: return top_left ? Side::bottom : Side::top;
        }
    }

    // From the crossing between (r, c) and (r, c + 1) downwards until it comes back. The rim of the picture is 0: lines are closed.
    void follow(Index r, Index c) {
        found_.clear();
        const Index start_r = r, start_c = c;
        Side entered = Side::top;
        do {
            if (entered == Side::top) seen_[at(r, c)] = 1;
            if (entered == Side::bottom) seen_[at(r + 1, c)] = 1;
            found_.push_back(point(r, c, entered));
            const Side out = leaving(r, c, entered);
            switch (out) {
                case Side::top: --r; entered = Side::bottom; break;
                case Side::bottom: ++r; entered = Side::top; break;
                case Side::left: --c; entered = Side::right; break;
                default: ++c; entered = Side::left; break;
            }
        } while (!(r == start_r && c == start_c && entered == Side::top) && !(r + 1 == start_r && c == start_c && entered == Side::bottom));
        found_.push_back(found_.front());
    }

    Index height_ = 0, width_ = 0;
    std::vector<double> value_, across_;
    std::vector<std::uint8_t> seen_;
    std::vector<Point> found_;
};

class Nucleus {
public:
    void measure(const NucleiPicture& picture, std::int32_t label, const Box& box, NucleusRow& row) {
        row.fill(nan);
        if (box.empty()) return;
        shape(picture, label, box, row);
        intensity(picture, label, box, row);
        texture(picture, label, box, row);
        outline_.draw(picture, label, box);
        if (!outline_.line.empty()) outline(picture.mpp, row);
    }

private:
    template <class Body>
    static void each_pixel(const NucleiPicture& picture, std::int32_t label, const Box& box, const Body& body) {
        for (Index j = box.top; j <= box.bottom; ++j)
            for (Index i = box.left, p = j * picture.shape[1] + box.left; i <= box.right; ++i, ++p)
                if (picture.labels[p] == label) body(j, i, p);
    }

    static void shape(const NucleiPicture& picture, std::int32_t label, const Box& box, NucleusRow& row) {
        double n = 0, y = 0, x = 0, yy = 0, xx = 0, xy = 0;
        each_pixel(picture, label, box, [&](Index j, Index i, Index) {
            const auto dy = static_cast<double>(j - box.top), dx = static_cast<double>(i - box.left);
            n += 1, y += dy, x += dx, yy += dy * dy, xx += dx * dx, xy += dx * dy;
        });
        // each pixel is a square: its own second moment, 1/12, belongs to the ellipse's
        const double vy = (yy - y * y / n) / n + 1.0 / 12, vx = (xx - x * x / n) / n + 1.0 / 12, c = (xy - x * y / n) / n;
        const double middle = (vy + vx) / 2, spread = std::sqrt((vy - vx) * (vy - vx) / 4 + c * c);
        const double major = 4 * std::sqrt(middle + spread), minor = 4 * std::sqrt(std::max(middle - spread, 0.0));
        const double size = n * picture.mpp * picture.mpp;
        const double rectangle = static_cast<double>((box.bottom - box.top + 1) * (box.right - box.left + 1));
        row[area] = size;
        row[area_bbox] = rectangle * picture.mpp * picture.mpp;
        row[eccentricity] = std::sqrt(std::max(0.0, 1 - (minor / major) * (minor / major)));
        row[elongation] = major / minor;
        row[extent] = n / rectangle;
        row[major_axis_length] = major * picture.mpp;
        row[minor_axis_length] = minor * picture.mpp;
        row[equivalent_diameter] = std::sqrt(4 * size / std::numbers::pi);
    }

    static void intensity(const NucleiPicture& picture, std::int32_t label, const Box& box, NucleusRow& row) {
        std::array<double, 256> count{};
        double n = 0, sum = 0;
        each_pixel(picture, label, box, [&](Index, Index, Index p) {
            count[picture.intensity[p]] += 1;
            n += 1;
            sum += picture.density[p];
        });
        const double density_mean = sum / n;
        double squares = 0;
        each_pixel(picture, label, box,
                   [&](Index, Index, Index p) { squares += (picture.density[p] - density_mean) * (picture.density[p] - density_mean); });
        double total = 0, low = nan, high = nan, entropy = 0;
        for (std::size_t v = 0; v < 256; ++v) {
            if (count[v] == 0) continue;
            if (std::isnan(low)) low = static_cast<double>(v);
            high = static_cast<double>(v);
            total += count[v] * static_cast<double>(v);
            entropy -= count[v] / n * std::log2(count[v] / n);
        }
        const double mean = total / n;
        double m2 = 0, m3 = 0, m4 = 0;
        for (std::size_t v = 0; v < 256; ++v) {
            const double away = static_cast<double>(v) - mean, square = away * away;
            m2 += count[v] * square, m3 += count[v] * square * away, m4 += count[v] * square * square;
        }
        m2 /= n, m3 /= n, m4 /= n;
        row[intensity_mean] = mean;
        row[intensity_std] = std::sqrt(m2);
        row[intensity_max] = high;
        row[intensity_min] = low;
        row[intensity_skewness] = low == high ? nan : m3 / (m2 * std::sqrt(m2));
        row[intensity_kurtosis] = low == high ? nan : m4 / (m2 * m2) - 3;
        row[intensity_entropy] = entropy + 0.0;
        row[haematoxylin_mean] = density_mean;
        row[haematoxylin_std] = std::sqrt(squares / n);
    }

    // Of each direction's symmetric co-occurrence matrix of pixels inside, then the mean over the directions that have pairs.
    static void texture(const NucleiPicture& picture, std::int32_t label, const Box& box, NucleusRow& row) {
        static constexpr std::array<std::pair<Index, Index>, 4> steps{{{0, 1}, {-1, 1}, {-1, 0}, {-1, -1}}};
        std::array<double, 4> sum{};
        int directions = 0;
        for (const auto& [dj, di] : steps) {
            std::array<std::array<double, levels>, levels> pairs{};
            double n = 0;
            each_pixel(picture, label, box, [&](Index j, Index i, Index p) {
                const Index y = j + dj, x = i + di;
                if (y < box.top || x < box.left || x > box.right) return;
                const Index q = y * picture.shape[1] + x;
                if (picture.labels[q] != label) return;
                const auto a = static_cast<std::size_t>(picture.intensity[p] / level_width), b = static_cast<std::size_t>(picture.intensity[q] / level_width);
                pairs[a][b] += 1;
                pairs[b][a] += 1;
                n += 2;
            });
            if (n == 0) continue;
            ++directions;
            double mean = 0;
            for (int a = 0; a < levels; ++a)
                for (int b = 0; b < levels; ++b) mean += a * pairs[static_cast<std::size_t>(a)][static_cast<std::size_t>(b)] / n;
            double squares = 0, alike = 0, close = 0, variance = 0, together = 0;
            for (int a = 0; a < levels; ++a)
                for (int b = 0; b < levels; ++b) {
                    const double p = pairs[static_cast<std::size_t>(a)][static_cast<std::size_t>(b)] / n, away = a - b;
                    squares += p * away * away;
                    close += p / (1 + away * away);
                    alike += p * p;
                    variance += p * (a - mean) * (a - mean);
                    together += p * (a - mean) * (b - mean);
                }
            sum[0] += squares, sum[1] += close, sum[2] += std::sqrt(alike), sum[3] += variance > 1e-12 ? together / variance : nan;
        }
        if (directions == 0) return;
        for (std::size_t n = 0; n < 4; ++n) row[contrast + n] = sum[n] / directions;
    }

    void outline(double mpp, NucleusRow& row) {
        const auto& line = outline_.line;
        along_.assign(1, 0.0);
        for (std::size_t n = 0; n + 1 < line.size(); ++n)
            along_.push_back(along_.back() + std::sqrt((line[n + 1].x - line[n].x) * (line[n + 1].x - line[n].x) + (line[n + 1].y - line[n].y) * (line[n + 1].y - line[n].y)));
        const double length = along_.back(), enclosed = std::abs(signed_area(line));
        row[perimeter] = length * mpp;
        row[circularity] = 4 * std::numbers::pi * enclosed / (length * length);
        row[solidity] = enclosed / hull_area(line);
        curvature(length, mpp, row);
    }

    // (x'y'' - y'x'') / (x'2 + y'2)^1.5 along the outline, brought to equal steps and smoothed; positive where convex.
    void curvature(double length, double mpp, NucleusRow& row) const {
        static const auto weight = gaussian<2 * outline_reach + 1>(outline_sigma);
        const auto& line = outline_.line;
        std::array<Point, points> even, smooth;
        std::size_t segment = 0;
        for (Index n = 0; n < points; ++n) {
            const double here = static_cast<double>(n) * length / points;
            while (segment + 2 < along_.size() && along_[segment + 1] <= here) ++segment;
            const double share = (here - along_[segment]) / (along_[segment + 1] - along_[segment]);
            even[static_cast<std::size_t>(n)] = {line[segment].x + share * (line[segment + 1].x - line[segment].x),
                                                 line[segment].y + share * (line[segment + 1].y - line[segment].y)};
        }
        const auto around = [](Index n) { return static_cast<std::size_t>((n + points) % points); };
        for (Index n = 0; n < points; ++n) {
            Point sum{0, 0};
            for (Index d = -outline_reach; d <= outline_reach; ++d) {
                const double w = weight[static_cast<std::size_t>(d + outline_reach)];
                sum.x += w * even[around(n + d)].x;
                sum.y += w * even[around(n + d)].y;
            }
            smooth[static_cast<std::size_t>(n)] = sum;
        }
        const double step = length / points;
        std::array<double, points> curve;
        for (Index n = 0; n < points; ++n) {
            const Point &before = smooth[around(n - 1)], &here = smooth[around(n)], &after = smooth[around(n + 1)];
            const double x1 = (after.x - before.x) / (2 * step), y1 = (after.y - before.y) / (2 * step);
            const double x2 = (after.x - 2 * here.x + before.x) / (step * step), y2 = (after.y - 2 * here.y + before.y) / (step * step);
            const double speed = x1 * x1 + y1 * y1;
            curve[static_cast<std::size_t>(n)] = (x1 * y2 - y1 * x2) / (speed * std::sqrt(speed)) / mpp;
        }
        double mean = 0, squares = 0;
        for (const double c : curve) mean += c / points;
        for (const double c : curve) squares += (c - mean) * (c - mean);
        row[curve_mean] = mean;
        row[curve_max] = *std::max_element(curve.begin(), curve.end());
        row[curve_min] = *std::min_element(curve.begin(), curve.end());
        row[curve_std] = std::sqrt(squares / points);
    }

    Outline outline_;
    std::vector<double> along_;
};

}  // namespace

std::vector<NucleusRow> nuclear_features(const NucleiPicture& picture, Index count, unsigned workers) {
    std::vector<Box> boxes(static_cast<std::size_t>(count), Box{picture.shape[0], picture.shape[1], -1, -1});
    for (Index j = 0, p = 0; j < picture.shape[0]; ++j)
        for (Index i = 0; i < picture.shape[1]; ++i, ++p) {
            const std::int32_t label = picture.labels[p];
            if (label < 1 || label > count) continue;
            Box& box = boxes[static_cast<std::size_t>(label - 1)];
            box = {std::min(box.top, j), std::min(box.left, i), std::max(box.bottom, j), std::max(box.right, i)};
        }
    std::vector<NucleusRow> rows(boxes.size());
    in_parallel(count, workers, [] { return Nucleus{}; }, [&](Nucleus& nucleus, Index n) {
        const auto place = static_cast<std::size_t>(n);
        nucleus.measure(picture, static_cast<std::int32_t>(n + 1), boxes[place], rows[place]);
    });
    return rows;
}

}  // namespace isthmus
