#include "isthmus/kmeans.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "isthmus/draw.hpp"

namespace isthmus {

namespace {

double squared(const double* a, const double* b, Index dimensions) {
    double sum = 0;
    for (Index d = 0; d < dimensions; ++d) sum += (a[d] - b[d]) * (a[d] - b[d]);
    return sum;
}

class Clustering {
public:
    Clustering(const double* points, Index n, Index dimensions, Index k)
        : points_(points), n_(n), dimensions_(dimensions), k_(k), distance_(static_cast<std::size_t>(n)) {
        found_.cluster.resize(static_cast<std::size_t>(n));
        found_.centres.resize(static_cast<std::size_t>(k * dimensions));
    }

    // Every next centre is a point drawn with a chance in proportion to its squared distance from the centres so far.
    void start(Draw& draw) {
        place(0, static_cast<Index>(draw.below(static_cast<std::size_t>(n_))));
        std::fill(distance_.begin(), distance_.end(), std::numeric_limits<double>::infinity());
        for (Index c = 1; c < k_; ++c) {
            double total = 0;
            for (Index i = 0; i < n_; ++i) {
                double& nearest = distance_[static_cast<std::size_t>(i)];
                nearest = std::min(nearest, squared(point(i), centre(c - 1), dimensions_));
                total += nearest;
            }
            double left = draw.uniform() * total;
            Index chosen = 0;
            for (Index i = 0; i < n_; ++i) {
                if (!(distance_[static_cast<std::size_t>(i)] > 0)) continue;
                chosen = i;
                left -= distance_[static_cast<std::size_t>(i)];
                if (left < 0) break;
            }
            place(c, chosen);
        }
    }

    void run(int iterations) {
        assign();
        for (int n = 0; n < iterations; ++n) {
            move();
            if (!assign()) break;
        }
    }

    const KMeans& found() const { return found_; }

private:
    const double* point(Index i) const { return points_ + i * dimensions_; }
    double* centre(Index c) { return found_.centres.data() + c * dimensions_; }
    void place(Index c, Index i) { std::copy(point(i), point(i) + dimensions_, centre(c)); }

    // Each point to its nearest centre; whether any has changed.
    bool assign() {
        bool changed = false;
        found_.inertia = 0;
        for (Index i = 0; i < n_; ++i) {
            double least = std::numeric_limits<double>::infinity();
            std::int32_t nearest = 0;
            for (Index c = 0; c < k_; ++c) {
                const double d = squared(point(i), centre(c), dimensions_);
                if (d < least) least = d, nearest = static_cast<std::int32_t>(c);
            }
            std::int32_t& own = found_.cluster[static_cast<std::size_t>(i)];
            changed = changed || own != nearest;
            own = nearest;
            distance_[static_cast<std::size_t>(i)] = least;
            found_.inertia += least;
        }
        return changed;
    }

    void move() {
        std::vector<double> sum(found_.centres.size(), 0.0);
        std::vector<Index> members(static_cast<std::size_t>(k_), 0);
        for (Index i = 0; i < n_; ++i) {
            const Index c = found_.cluster[static_cast<std::size_t>(i)];
            ++members[static_cast<std::size_t>(c)];
            for (Index d = 0; d < dimensions_; ++d) sum[static_cast<std::size_t>(c * dimensions_ + d)] += point(i)[d];
        }
        for (Index c = 0; c < k_; ++c) {
            const Index n = members[static_cast<std::size_t>(c)];
            if (n == 0) {
                const auto farthest = std::max_element(distance_.begin(), distance_.end());
                place(c, static_cast<Index>(farthest - distance_.begin()));
                *farthest = 0;
                continue;
            }
            for (Index d = 0; d < dimensions_; ++d) centre(c)[d] = sum[static_cast<std::size_t>(c * dimensions_ + d)] / static_cast<double>(n);
        }
    }

    const double* points_;
    Index n_, dimensions_, k_;
    std::vector<double> distance_;
    KMeans found_;
};

// Clusters numbered in the order of their first points; one without points comes last.
void number(KMeans& found, Index k, Index dimensions) {
    std::vector<std::int32_t> name(static_cast<std::size_t>(k), -1);
    std::int32_t next = 0;
    for (std::int32_t& c : found.cluster) {
        if (name[static_cast<std::size_t>(c)] < 0) name[static_cast<std::size_t>(c)] = next++;
        c = name[static_cast<std::size_t>(c)];
    }
    const std::vector<double> old = found.centres;
    for (std::size_t c = 0; c < name.size(); ++c) {
        if (name[c] < 0) name[c] = next++;
        std::copy_n(old.begin() + static_cast<std::ptrdiff_t>(c) * dimensions, dimensions, found.centres.begin() + name[c] * dimensions);
    }
}

}  // namespace

KMeans kmeans(const double* points, Index n, Index dimensions, Index k, int starts, int iterations, std::uint64_t seed) {
    if (k < 1 || k > n || starts < 1) throw std::invalid_argument("k-means needs 1 to n clusters and at least one start");
    Draw draw{seed};
    Clustering clustering(points, n, dimensions, k);
    KMeans best;
    best.inertia = std::numeric_limits<double>::infinity();
    for (int s = 0; s < starts; ++s) {
        clustering.start(draw);
        clustering.run(iterations);
        if (clustering.found().inertia < best.inertia) best = clustering.found();
    }
    if (best.cluster.empty()) throw std::invalid_argument("k-means needs finite points");
    number(best, k, dimensions);
    return best;
}

}  // namespace isthmus
