#include "isthmus/basins.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

namespace isthmus {

namespace {

// Every pixel's own basin and where basins meet, in the order of the flood; a depth then joins some of them.
class Flood {
public:
    Flood(const float* relief, const std::uint8_t* mask, const std::array<Index, 2>& shape)
        : relief_(relief), shape_(shape), basin_(static_cast<std::size_t>(shape[0] * shape[1]), -1) {
        // the highest first, then the order of memory: one whole number says both
        std::vector<std::uint64_t> order;
        for (Index p = 0; p < shape[0] * shape[1]; ++p) {
            if (mask[p] == 0) continue;
            pixels_.push_back(static_cast<std::int32_t>(p));
            order.push_back(static_cast<std::uint64_t>(~rank(relief[p])) << 32 | static_cast<std::uint64_t>(p));
        }
        std::sort(order.begin(), order.end());
        for (const std::uint64_t o : order) take(static_cast<std::int32_t>(o & 0xffffffffU));
    }

    // Of the basins numbered in the order of their first pixels: number, from 1, of every pixel of `pixels()`.
    std::vector<std::int32_t> labels(const Depth& depth) const {
        std::vector<std::int32_t> parent(summit_.size());
        std::iota(parent.begin(), parent.end(), 0);
        for (const Meeting& m : meetings_) {
            const std::int32_t a = root(parent, m.a), b = root(parent, m.b);
            if (a == b) continue;
            // the earlier basin has the higher summit: pixels come from the highest down
            const std::int32_t high = std::min(a, b), low = std::max(a, b);
            const double summit = summit_[static_cast<std::size_t>(low)];
            if (summit - m.pass < depth.absolute + depth.relative * summit) parent[static_cast<std::size_t>(low)] = high;
        }
        std::vector<std::int32_t> number(parent.size(), 0), labels;
        labels.reserve(pixels_.size());
        std::int32_t next = 0;
        for (const std::int32_t p : pixels_) {
            auto& n = number[static_cast<std::size_t>(root(parent, basin_[static_cast<std::size_t>(p)]))];
            if (n == 0) n = ++next;
            labels.push_back(n);
        }
        return labels;
    }

    const std::vector<std::int32_t>& pixels() const { return pixels_; }

private:
    // Whole numbers in the order of the floats.
    static std::uint32_t rank(float value) {
        const auto bits = std::bit_cast<std::uint32_t>(value + 0.0F);
        return (bits >> 31) != 0 ? ~bits : bits | 0x80000000U;
    }

    struct Meeting {
        std::int32_t a, b;
        double pass;
    };

    static std::int32_t root(std::vector<std::int32_t>& parent, std::int32_t b) {
        while (parent[static_cast<std::size_t>(b)] != b) {
            auto& up = parent[static_cast<std::size_t>(b)];
            up = parent[static_cast<std::size_t>(up)];
            b = up;
        }
        return b;
    }

    void take(std::int32_t p) {
        const Index j = p / shape_[1], i = p % shape_[1];
        std::array<std::int32_t, 8> met;
        int count = 0;
        std::int32_t highest = -1;
        for (Index dj = -1; dj <= 1; ++dj)
            for (Index di = -1; di <= 1; ++di) {
                const Index y = j + dj, x = i + di;
                if ((dj == 0 && di == 0) || y < 0 || x < 0 || y >= shape_[0] || x >= shape_[1]) continue;
                const auto q = static_cast<std::int32_t>(y * shape_[1] + x);
                if (basin_[static_cast<std::size_t>(q)] < 0) continue;
                met[static_cast<std::size_t>(count++)] = q;
                if (highest < 0 || relief_[q] > relief_[highest]) highest = q;
            }
        auto& own = basin_[static_cast<std::size_t>(p)];
        if (count == 0) {
            own = static_cast<std::int32_t>(summit_.size());
            summit_.push_back(relief_[p]);
            return;
        }
        own = basin_[static_cast<std::size_t>(highest)];
        for (int n = 0; n < count; ++n) {
            const std::int32_t other = basin_[static_cast<std::size_t>(met[static_cast<std::size_t>(n)])];
            if (other != own) meetings_.push_back({other, own, relief_[p]});
        }
    }

    const float* relief_;
    std::array<Index, 2> shape_;
    std::vector<std::int32_t> basin_, pixels_;
    std::vector<double> summit_;
    std::vector<Meeting> meetings_;
};

}  // namespace

std::vector<std::int32_t> basins(const float* relief, const std::uint8_t* mask, const std::array<Index, 2>& shape, const Depth& depth) {
    const Flood flood(relief, mask, shape);
    std::vector<std::int32_t> labels(static_cast<std::size_t>(shape[0] * shape[1]), 0);
    const std::vector<std::int32_t> own = flood.labels(depth);
    for (std::size_t n = 0; n < own.size(); ++n) labels[static_cast<std::size_t>(flood.pixels()[n])] = own[n];
    return labels;
}

std::vector<BasinPixels> basin_pixels(const float* relief, const std::uint8_t* mask, const std::array<Index, 2>& shape, const std::vector<Depth>& depths) {
    const Flood flood(relief, mask, shape);
    std::vector<BasinPixels> all;
    for (const Depth& depth : depths) {
        const std::vector<std::int32_t> labels = flood.labels(depth);
        BasinPixels sorted;
        const std::int32_t most = labels.empty() ? 0 : *std::max_element(labels.begin(), labels.end());
        sorted.starts.assign(static_cast<std::size_t>(most) + 1, 0);
        for (const std::int32_t label : labels) ++sorted.starts[static_cast<std::size_t>(label)];
        std::partial_sum(sorted.starts.begin(), sorted.starts.end(), sorted.starts.begin());
        sorted.pixels.resize(labels.size());
        std::vector<std::size_t> next = sorted.starts;
        for (std::size_t n = 0; n < labels.size(); ++n) sorted.pixels[next[static_cast<std::size_t>(labels[n]) - 1]++] = flood.pixels()[n];
        all.push_back(std::move(sorted));
    }
    return all;
}

}  // namespace isthmus
