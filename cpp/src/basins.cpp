#include "isthmus/basins.hpp"

#include <algorithm>
#include <numeric>

namespace isthmus {

namespace {

class Flood {
public:
    Flood(const float* relief, const std::uint8_t* mask, const std::array<Index, 2>& shape, const Depth& depth)
        : relief_(relief), mask_(mask), shape_(shape), depth_(depth), basin_(static_cast<std::size_t>(shape[0] * shape[1]), -1) {}

    std::vector<std::int32_t> run() {
        std::vector<std::int32_t> order;
        for (Index p = 0; p < shape_[0] * shape_[1]; ++p)
            if (mask_[p] != 0) order.push_back(static_cast<std::int32_t>(p));
        std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) { return relief_[a] > relief_[b]; });
        for (const std::int32_t p : order) take(p);
        return numbered();
    }

private:
    std::int32_t root(std::int32_t b) {
        while (parent_[static_cast<std::size_t>(b)] != b) {
            auto& up = parent_[static_cast<std::size_t>(b)];
            up = parent_[static_cast<std::size_t>(up)];
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
            own = static_cast<std::int32_t>(parent_.size());
            parent_.push_back(own);
            summit_.push_back(relief_[p]);
            return;
        }
        own = basin_[static_cast<std::size_t>(highest)];
        for (int n = 0; n < count; ++n) meet(basin_[static_cast<std::size_t>(met[static_cast<std::size_t>(n)])], own, relief_[p]);
    }

    void meet(std::int32_t a, std::int32_t b, double pass) {
        a = root(a);
        b = root(b);
        if (a == b) return;
        // the earlier basin has the higher summit: pixels come from the highest down
        const std::int32_t high = std::min(a, b), low = std::max(a, b);
        const double summit = summit_[static_cast<std::size_t>(low)];
        if (summit - pass < depth_.absolute + depth_.relative * summit) parent_[static_cast<std::size_t>(low)] = high;
    }

    std::vector<std::int32_t> numbered() {
        std::vector<std::int32_t> number(parent_.size(), 0), labels(basin_.size(), 0);
        std::int32_t next = 0;
        for (std::size_t p = 0; p < basin_.size(); ++p) {
            if (basin_[p] < 0) continue;
            auto& n = number[static_cast<std::size_t>(root(basin_[p]))];
            if (n == 0) n = ++next;
            labels[p] = n;
        }
        return labels;
    }

    const float* relief_;
    const std::uint8_t* mask_;
    std::array<Index, 2> shape_;
    Depth depth_;
    std::vector<std::int32_t> basin_, parent_;
    std::vector<double> summit_;
};

}  // namespace

std::vector<std::int32_t> basins(const float* relief, const std::uint8_t* mask, const std::array<Index, 2>& shape, const Depth& depth) {
    return Flood(relief, mask, shape, depth).run();
}

}  // namespace isthmus
