#include "isthmus/plane.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace isthmus {

namespace {

constexpr std::int32_t far = std::numeric_limits<std::int32_t>::max();

// Half-widths of the rows -radius ... radius of the disc.
std::vector<Index> half_widths(Index radius) {
    std::vector<Index> widths;
    for (Index y = -radius; y <= radius; ++y)
        widths.push_back(static_cast<Index>(std::floor(std::sqrt(static_cast<double>(radius * radius - y * y) + 0.5))));
    return widths;
}

// Along one run of a row: sites at begin ... end - 1 with squared heights, minimum of (x - site)^2 + height for every x of the run.
class Envelope {
public:
    void run(const std::int64_t* height, Index begin, Index end, std::int32_t* out) {
        site_.clear();
        start_.clear();
        for (Index s = begin; s < end; ++s) {
            if (height[s] < 0) continue;
            Index from = begin;
            while (!site_.empty()) {
                from = first(site_.back(), s, height, begin, end);
                if (from > start_.back()) break;
                site_.pop_back();
                start_.pop_back();
                from = begin;
            }
            if (from >= end) continue;
            site_.push_back(s);
            start_.push_back(from);
        }
        for (std::size_t n = 0; n < site_.size(); ++n) {
            const Index stop = n + 1 < site_.size() ? start_[n + 1] : end;
            for (Index x = start_[n]; x < stop; ++x)
                out[x] = static_cast<std::int32_t>((x - site_[n]) * (x - site_[n]) + height[site_[n]]);
        }
        if (site_.empty()) std::fill(out + begin, out + end, far);
    }

private:
    // The first x from which site b is strictly nearer than site a, a < b.
    static Index first(Index a, Index b, const std::int64_t* height, Index begin, Index end) {
        const std::int64_t above = height[b] + b * b - height[a] - a * a;
        if (above < 0) return std::max(begin, -((-above) / (2 * (b - a))) + ((-above) % (2 * (b - a)) == 0 ? 1 : 0));
        return std::min(end, static_cast<Index>(above / (2 * (b - a)) + 1));
    }

    std::vector<Index> site_, start_;
};

}  // namespace

std::vector<std::int32_t> squared_distance(const Bytes& mask, const Shape2& shape) {
    const auto [rows, columns] = shape;
    // vertical distances first, -1 where there is nothing outside above or below
    std::vector<std::int32_t> vertical(mask.size());
    for (Index j = 0; j < rows; ++j)
        for (Index i = 0; i < columns; ++i) {
            const auto p = static_cast<std::size_t>(j * columns + i);
            if (mask[p] == 0)
                vertical[p] = 0;
            else if (j == 0)
                vertical[p] = -1;
            else {
                const std::int32_t up = vertical[p - static_cast<std::size_t>(columns)];
                vertical[p] = up < 0 ? -1 : up + 1;
            }
        }
    for (Index j = rows - 2; j >= 0; --j)
        for (Index i = 0; i < columns; ++i) {
            const auto p = static_cast<std::size_t>(j * columns + i);
            const std::int32_t down = vertical[p + static_cast<std::size_t>(columns)];
            if (down >= 0 && (vertical[p] < 0 || down + 1 < vertical[p])) vertical[p] = down + 1;
        }
    std::vector<std::int32_t> out(mask.size(), 0);
    std::vector<std::int64_t> height(static_cast<std::size_t>(columns));
    Envelope envelope;
    for (Index j = 0; j < rows; ++j) {
        const std::int32_t* v = vertical.data() + j * columns;
        std::int32_t* row = out.data() + j * columns;
        for (Index i = 0; i < columns; ++i) height[static_cast<std::size_t>(i)] = v[i] < 0 ? -1 : static_cast<std::int64_t>(v[i]) * v[i];
        for (Index i = 0; i < columns;) {
            if (v[i] == 0) {
                ++i;
                continue;
            }
            Index end = i;
            while (end < columns && v[end] != 0) ++end;
            // the pixels outside at both ends shield the run from all that lies behind them
            envelope.run(height.data(), std::max<Index>(i - 1, 0), std::min(end + 1, columns), row);
            i = end;
        }
    }
    return out;
}

std::vector<float> distance_to_outside(const Bytes& mask, const Shape2& shape) {
    const std::vector<std::int32_t> squared = squared_distance(mask, shape);
    std::vector<float> distance(squared.size());
    std::transform(squared.begin(), squared.end(), distance.begin(), [](std::int32_t d) { return std::sqrt(static_cast<float>(d)); });
    return distance;
}

void fill_holes(Bytes& mask, const Shape2& shape, double most) {
    const auto [rows, columns] = shape;
    Bytes seen(mask.size(), 0);
    std::vector<Index> hole;
    for (Index start = 0; start < rows * columns; ++start) {
        if (mask[static_cast<std::size_t>(start)] != 0 || seen[static_cast<std::size_t>(start)] != 0) continue;
        hole.assign(1, start);
        seen[static_cast<std::size_t>(start)] = 1;
        for (std::size_t n = 0; n < hole.size(); ++n) {
            const Index p = hole[n], j = p / columns, i = p % columns;
            const auto visit = [&](bool inside, Index q) {
                if (!inside || mask[static_cast<std::size_t>(q)] != 0 || seen[static_cast<std::size_t>(q)] != 0) return;
                seen[static_cast<std::size_t>(q)] = 1;
                hole.push_back(q);
            };
            visit(j > 0, p - columns);
            visit(i > 0, p - 1);
            visit(i + 1 < columns, p + 1);
            visit(j + 1 < rows, p + columns);
        }
        if (static_cast<double>(hole.size()) <= most)
            for (const Index p : hole) mask[static_cast<std::size_t>(p)] = 1;
    }
}

Bytes opened(const std::vector<std::int32_t>& distance, const Shape2& shape, Index radius) {
    const auto [rows, columns] = shape;
    const std::vector<Index> widths = half_widths(radius);
    Bytes out(distance.size(), 0);
    const auto fits = [&](Index j, Index i) {
        return j < 0 || i < 0 || j >= rows || i >= columns || distance[static_cast<std::size_t>(j * columns + i)] > radius * radius;
    };
    for (Index j = 0; j < rows; ++j)
        for (Index i = 0; i < columns; ++i) {
            if (!fits(j, i)) continue;
            out[static_cast<std::size_t>(j * columns + i)] = 1;
            if (fits(j - 1, i) && fits(j + 1, i) && fits(j, i - 1) && fits(j, i + 1)) continue;
            for (Index y = std::max<Index>(j - radius, 0); y <= std::min(j + radius, rows - 1); ++y) {
                const Index half = widths[static_cast<std::size_t>(y - j + radius)];
                const Index from = std::max<Index>(i - half, 0), to = std::min(i + half, columns - 1);
                std::fill(out.begin() + y * columns + from, out.begin() + y * columns + to + 1, std::uint8_t{1});
            }
        }
    return out;
}

void grow(std::vector<std::int32_t>& labels, const Bytes& room, const Shape2& shape, Index steps) {
    const auto [rows, columns] = shape;
    std::vector<Index> front, next;
    for (Index p = 0; p < rows * columns; ++p)
        if (labels[static_cast<std::size_t>(p)] != 0) front.push_back(p);
    for (Index step = 0; step < steps && !front.empty(); ++step) {
        next.clear();
        for (const Index p : front)
            for (Index y = std::max<Index>(p / columns - 1, 0); y <= std::min(p / columns + 1, rows - 1); ++y)
                for (Index x = std::max<Index>(p % columns - 1, 0); x <= std::min(p % columns + 1, columns - 1); ++x) {
                    const auto q = static_cast<std::size_t>(y * columns + x);
                    if (labels[q] != 0 || room[q] == 0) continue;
                    labels[q] = labels[static_cast<std::size_t>(p)];
                    next.push_back(static_cast<Index>(q));
                }
        front.swap(next);
    }
}

std::vector<std::int32_t> majority(const std::vector<std::int32_t>& labels, const Shape2& shape, Index radius) {
    const auto [rows, columns] = shape;
    const std::vector<Index> widths = half_widths(radius);
    Index disc = 0;
    for (const Index half : widths) disc += 2 * half + 1;
    struct Box {
        Index top, left, bottom, right;
    };
    const std::int32_t most = labels.empty() ? 0 : *std::max_element(labels.begin(), labels.end());
    std::vector<Box> boxes(static_cast<std::size_t>(most) + 1, Box{rows, columns, -1, -1});
    for (Index p = 0; p < rows * columns; ++p) {
        const std::int32_t label = labels[static_cast<std::size_t>(p)];
        if (label == 0) continue;
        Box& box = boxes[static_cast<std::size_t>(label)];
        box = {std::min(box.top, p / columns), std::min(box.left, p % columns), std::max(box.bottom, p / columns), std::max(box.right, p % columns)};
    }
    std::vector<std::int32_t> out(labels.size(), 0);
    std::vector<Index> sums;
    for (std::int32_t label = 1; label <= most; ++label) {
        const Box& box = boxes[static_cast<std::size_t>(label)];
        if (box.bottom < 0) continue;
        // running sums along the rows of the box, padded by the disc on all sides
        const Index high = box.bottom - box.top + 1, wide = box.right - box.left + 1, stride = wide + 2 * radius + 1 + 2 * radius;
        sums.assign(static_cast<std::size_t>(high * stride), 0);
        for (Index y = 0; y < high; ++y) {
            Index* row = sums.data() + y * stride;
            const std::int32_t* from = labels.data() + (box.top + y) * columns + box.left;
            for (Index x = 0; x + 1 < stride; ++x) {
                const Index i = x - 2 * radius;
                row[x + 1] = row[x] + (i >= 0 && i < wide && from[i] == label ? 1 : 0);
            }
        }
        for (Index j = std::max<Index>(box.top - radius, 0); j <= std::min(box.bottom + radius, rows - 1); ++j)
            for (Index i = std::max<Index>(box.left - radius, 0); i <= std::min(box.right + radius, columns - 1); ++i) {
                Index inside = 0;
                for (Index y = std::max(j - radius, box.top); y <= std::min(j + radius, box.bottom); ++y) {
                    const Index half = widths[static_cast<std::size_t>(y - j + radius)], middle = i - box.left + 2 * radius;
                    const Index* row = sums.data() + (y - box.top) * stride;
                    inside += row[middle + half + 1] - row[middle - half];
                }
                if (2 * inside > disc) out[static_cast<std::size_t>(j * columns + i)] = label;
            }
    }
    return out;
}

}  // namespace isthmus
