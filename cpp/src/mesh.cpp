#include "isthmus/mesh.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "isthmus/cube_triangles.hpp"

namespace isthmus {

namespace {

using Vector = std::array<double, 3>;

Vector cross(const Vector& a, const Vector& b) {
    return {a[1] * b[2] - b[1] * a[2], a[2] * b[0] - b[2] * a[0], a[0] * b[1] - b[0] * a[1]};
}
double dot(const Vector& a, const Vector& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

// How often each cube index occurs, and the sums of its positions: integers, so exact and independent of order.
struct CubeCounts {
    std::array<std::int64_t, 256> count{};
    std::array<std::array<std::int64_t, 3>, 256> position{};
};

// First and last mesh vertex of every line of the half-voxel lattice, along i and along j. Nothing between them can be an
// extreme point of a plane that holds the line.
class LineExtremes {
public:
    LineExtremes(int lines, int columns) : columns_(columns), first_(static_cast<std::size_t>(lines) * columns, -1), last_(first_.size(), -1) {}
    void add(int line, int column, int at) {
        const std::size_t n = static_cast<std::size_t>(line) * columns_ + column;
        if (first_[n] < 0) {
            first_[n] = last_[n] = at;
        } else {
            first_[n] = std::min(first_[n], at);
            last_[n] = std::max(last_[n], at);
        }
    }
    int first(int line, int column) const { return first_[static_cast<std::size_t>(line) * columns_ + column]; }
    int last(int line, int column) const { return last_[static_cast<std::size_t>(line) * columns_ + column]; }

private:
    int columns_;
    std::vector<int> first_, last_;
};

using Planar = std::array<int, 2>;

// Convex hull of the extremes of parallel lines, `first(n)` (negative: none) and `last(n)`, by monotone chains: the lower over the
// first points, then the upper over the last ones, backwards (where they meet a point may come twice). Affine: the spacing can wait.
template <class First, class Last>
void hull(int lines, const First& first, const Last& last, std::vector<Planar>& out) {
    out.clear();
    std::size_t start = 0;
    auto append = [&](const Planar& p) {
        auto turn = [&](const Planar& o, const Planar& a) {
            return static_cast<std::int64_t>(a[0] - o[0]) * (p[1] - o[1]) - static_cast<std::int64_t>(a[1] - o[1]) * (p[0] - o[0]);
        };
        while (out.size() >= start + 2 && turn(out[out.size() - 2], out.back()) <= 0) out.pop_back();
        out.push_back(p);
    };
    for (int n = 0; n < lines; ++n)
        if (const int at = first(n); at >= 0) append({n, at});
    start = out.size();
    for (int n = lines; n-- > 0;)
        if (const int at = last(n); at >= 0) append({n, at});
}

double widest(const std::vector<Planar>& points, double a, double b) {
    double best = 0;
    for (std::size_t i = 0; i < points.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            const double x = (points[i][0] - points[j][0]) * a, y = (points[i][1] - points[j][1]) * b;
            best = std::max(best, x * x + y * y);
        }
    return best;
}

// Farthest pair: a good pair first, then only pairs whose distances from the centre could still beat it.
double farthest(std::vector<Vector>& points) {
    if (points.size() < 2) return 0;
    auto squared = [](const Vector& a, const Vector& b) {
        const Vector d{a[0] - b[0], a[1] - b[1], a[2] - b[2]};
        return dot(d, d);
    };
    Vector at = points[0];
    double best = 0;
    for (int walk = 0; walk < 6; ++walk) {
        double far = -1;
        std::size_t where = 0;
        for (std::size_t i = 0; i < points.size(); ++i)
            if (const double d = squared(points[i], at); d > far) far = d, where = i;
        if (far <= best) break;
        best = far;
        at = points[where];
    }
    Vector low = points[0], high = points[0];
    for (const Vector& p : points)
        for (int a = 0; a < 3; ++a) low[a] = std::min(low[a], p[a]), high[a] = std::max(high[a], p[a]);
    const Vector centre{(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2};
    std::vector<std::pair<double, std::size_t>> radius(points.size());
    for (std::size_t i = 0; i < points.size(); ++i) radius[i] = {std::sqrt(squared(points[i], centre)), i};
    std::sort(radius.begin(), radius.end(), [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
    for (std::size_t i = 0; i < radius.size(); ++i) {
        double limit = std::sqrt(best) * (1 - 1e-12);
        if (2 * radius[i].first < limit) break;
        for (std::size_t j = i + 1; j < radius.size() && radius[i].first + radius[j].first >= limit; ++j)
            if (const double d = squared(points[radius[i].second], points[radius[j].second]); d > best) {
                best = d;
                limit = std::sqrt(best) * (1 - 1e-12);
            }
    }
    return best;
}

}  // namespace

Mesh mesh(const Region& region, const Kernels& kernels) {
    const int nk = static_cast<int>(region.padded[0]), nj = static_cast<int>(region.padded[1]), ni = static_cast<int>(region.padded[2]);
    CubeCounts cubes;
    LineExtremes along_i(2 * nk, 2 * nj), along_j(2 * nk, 2 * ni);
    std::vector<std::uint8_t> index(static_cast<std::size_t>(region.step[0] + 64));
    for (int k = 0; k + 1 < nk; ++k) {
        // all cubes of a plane in one go; those that straddle the end of a row lie on padding and are empty
        const Index cells = region.step[0] - region.step[1];
        kernels.cubes(region.mask_origin() + k * region.step[0], cells, region.step[1], region.step[0], index.data());
        std::memset(index.data() + cells, 0, 8);
        int j = 0;
        Index row_begin = 0;
        for (Index at = 0; at < cells; at += 8) {
            std::uint64_t word;
            std::memcpy(&word, index.data() + at, 8);
            if (word == 0 || word == ~std::uint64_t{0}) continue;
            for (Index b = at; b < at + 8; ++b) {
                unsigned c = index[static_cast<std::size_t>(b)];
                if (c == 0 || c == 255) continue;
                while (b >= row_begin + ni) {
                    row_begin += ni;
                    ++j;
                }
                const int i = static_cast<int>(b - row_begin);
                ++cubes.count[c];
                cubes.position[c][0] += k;
                cubes.position[c][1] += j;
                cubes.position[c][2] += i;
                if (c & 0x80u) c ^= 0xFFu;
                // The three edges of corner 7 (k + 1, j + 1, i): every vertex of the mesh belongs to exactly one cube this way.
                const int k2 = 2 * k, j2 = 2 * j, i2 = 2 * i;
                auto vertex = [&](int vk, int vj, int vi) {
                    along_i.add(vk, vj, vi);
                    along_j.add(vk, vi, vj);
                };
                if (c & (1u << 6)) vertex(k2 + 2, j2 + 2, i2 + 1);
                if (c & (1u << 4)) vertex(k2 + 2, j2 + 1, i2);
                if (c & (1u << 3)) vertex(k2 + 1, j2 + 2, i2);
            }
        }
    }

    Mesh result;
    const Vector half{region.spacing[0] / 2, region.spacing[1] / 2, region.spacing[2] / 2};
    for (unsigned c = 1; c < 255; ++c) {
        if (cubes.count[c] == 0) continue;
        const double sign = c & 0x80u ? -1 : 1, count = static_cast<double>(cubes.count[c]);
        double area = 0, constant = 0;
        Vector normal{};
        for (const char* t = cube_triangles[c & 0x80u ? c ^ 0xFFu : c]; *t != 0; t += 3) {
            Vector corner[3];
            for (int q = 0; q < 3; ++q) {
                const int edge = t[q] <= '9' ? t[q] - '0' : t[q] - 'a' + 10;
                for (int a = 0; a < 3; ++a) corner[q][a] = edge_middle[edge][a] * half[a];
            }
            const Vector ab = cross(corner[0], corner[1]), bc = cross(corner[1], corner[2]), ca = cross(corner[2], corner[0]);
            const Vector n{ab[0] + bc[0] + ca[0], ab[1] + bc[1] + ca[1], ab[2] + bc[2] + ca[2]};
            area += std::sqrt(dot(n, n)) / 2;
            constant += dot(ab, corner[2]);
            for (int a = 0; a < 3; ++a) normal[a] += n[a];
        }
        // the determinant of a triangle moved by s is that at the origin + s . normal
        double moved = 0;
        for (int a = 0; a < 3; ++a) moved += normal[a] * region.spacing[a] * static_cast<double>(cubes.position[c][a]);
        result.area += count * area;
        result.volume += sign * (count * constant + moved);
    }
    result.volume /= 6;

    std::vector<Planar> corners;
    for (int k = 0; k < 2 * nk; ++k) {  // planes of constant k
        hull(2 * nj, [&](int j) { return along_i.first(k, j); }, [&](int j) { return along_i.last(k, j); }, corners);
        result.slice = std::max(result.slice, widest(corners, half[1], half[2]));
        for (const Planar& p : corners) result.corners.push_back({k, p[0], p[1]});
    }
    for (int j = 0; j < 2 * nj; ++j) {  // constant j
        hull(2 * nk, [&](int k) { return along_i.first(k, j); }, [&](int k) { return along_i.last(k, j); }, corners);
        result.column = std::max(result.column, widest(corners, half[0], half[2]));
    }
    for (int i = 0; i < 2 * ni; ++i) {  // constant i
        hull(2 * nk, [&](int k) { return along_j.first(k, i); }, [&](int k) { return along_j.last(k, i); }, corners);
        result.row = std::max(result.row, widest(corners, half[0], half[1]));
    }
    std::vector<Vector> pool;
    pool.reserve(result.corners.size());
    for (const LatticePoint& p : result.corners) pool.push_back({p.k * half[0], p.j * half[1], p.i * half[2]});
    result.whole = farthest(pool);
    result.slice = std::sqrt(result.slice);
    result.column = std::sqrt(result.column);
    result.row = std::sqrt(result.row);
    result.whole = std::sqrt(result.whole);
    return result;
}

}  // namespace isthmus
