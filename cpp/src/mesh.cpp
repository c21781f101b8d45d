#include "isthmus/mesh.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "isthmus/cube_triangles.hpp"

namespace isthmus {

namespace {

using Vector = std::array<double, 3>;

Vector cross(const Vector& a, const Vector& b) {
    return {a[1] * b[2] - b[1] * a[2], a[2] * b[0] - b[2] * a[0], a[0] * b[1] - b[0] * a[1]};
}
double dot(const Vector& a, const Vector& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

// How often each cube index occurs, and the sums of its positions: integers, so exact and independent of order.
class CubeCounts {
public:
    std::array<std::int64_t, 256> count{};
    std::array<std::array<std::int64_t, 3>, 256> position{};

    // The cubes of one plane, `n` to a row. Indices 0 and 255 may be counted or not: they hold no surface.
    void add_plane(const std::uint8_t* index, int k, int rows, int n) {
        for (int j = 0; j < rows; ++j, index += n)
            for (int i = 0; i < n; i += 8) {
                std::uint64_t word;
                std::memcpy(&word, index + i, 8);
                if (word == 0 || word == ~std::uint64_t{0}) continue;
                if (packed_cubes_ + 8 > most_packed) flush(k);
                packed_cubes_ += 8;
                const std::uint64_t at = std::uint64_t{1} << 52 | static_cast<std::uint64_t>(j) << 26 | static_cast<std::uint64_t>(i);
                const int here = std::min(8, n - i);
                if (here == 8)
#pragma GCC unroll 8
                    for (int b = 0; b < 8; ++b) packed_[index[i + b]] += at + static_cast<std::uint64_t>(b);
                else
                    for (int b = 0; b < here; ++b) packed_[index[i + b]] += at + static_cast<std::uint64_t>(b);
            }
        flush(k);
    }

private:
    // Number (12 bits), sum of j and sum of i (26 bits each; a coordinate has 15) of some cubes of one plane: one addition a cube.
    static constexpr int most_packed = 2047;
    std::array<std::uint64_t, 256> packed_{};
    int packed_cubes_ = 0;

    void flush(int k) {
        if (packed_cubes_ == 0) return;
        constexpr std::uint64_t field = (std::uint64_t{1} << 26) - 1;
        for (std::size_t c = 0; c < 256; ++c) {
            const std::int64_t n = static_cast<std::int64_t>(packed_[c] >> 52);
            count[c] += n;
            position[c][0] += n * k;
            position[c][1] += static_cast<std::int64_t>(packed_[c] >> 26 & field);
            position[c][2] += static_cast<std::int64_t>(packed_[c] & field);
            packed_[c] = 0;
        }
        packed_cubes_ = 0;
    }
};

// First and last of something on every line; first > last: nothing.
struct Extremes {
    int columns;
    std::vector<int> first, last;
    Extremes(int planes, int columns_, int length)
        : columns(columns_), first(static_cast<std::size_t>(planes) * static_cast<std::size_t>(columns_), length), last(first.size(), -1) {}
    std::size_t line(int plane, int column) const { return static_cast<std::size_t>(plane) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(column); }
};

// First and last mesh vertex of every line of the half-voxel lattice, from the first and last voxel on every line of the mask; nothing
// between them can be an extreme point of a plane that holds the line. A vertex lies where two neighbouring voxels differ: on a line,
// at its ends; between two lines, where one has a voxel and the other has none. Two lines that begin alike differ somewhere further
// in, but there the vertices of their own beginnings lie further out: that end is left out.
Extremes vertices(int planes, int length, const Extremes& voxels) {
    Extremes found(2 * planes, 2 * voxels.columns, 2 * length);
    auto between = [&](std::size_t a, std::size_t b, std::size_t out) {
        const int first = 2 * std::min(voxels.first[a], voxels.first[b]), last = 2 * std::max(voxels.last[a], voxels.last[b]);
        const bool begin = voxels.first[a] != voxels.first[b], end = voxels.last[a] != voxels.last[b];
        if (!begin && !end) return;
        found.first[out] = begin ? first : last;
        found.last[out] = end ? last : first;
    };
    for (int k = 0; k < planes; ++k)
        for (int c = 0; c < voxels.columns; ++c) {
            const std::size_t own = voxels.line(k, c);
            if (voxels.first[own] <= voxels.last[own]) {
                found.first[found.line(2 * k, 2 * c)] = 2 * voxels.first[own] - 1;
                found.last[found.line(2 * k, 2 * c)] = 2 * voxels.last[own] + 1;
            }
            if (c + 1 < voxels.columns) between(own, voxels.line(k, c + 1), found.line(2 * k, 2 * c + 1));
            if (k + 1 < planes) between(own, voxels.line(k + 1, c), found.line(2 * k + 1, 2 * c));
        }
    return found;
}

using Planar = std::array<int, 2>;

// Parallel lines in a plane, a step apart in the arrays of their extremes.
struct Plane {
    const int *first, *last;
    int lines;
    std::size_t step;
    int first_of(int n) const { return first[static_cast<std::size_t>(n) * step]; }
    int last_of(int n) const { return last[static_cast<std::size_t>(n) * step]; }
};

// Convex hull of the extremes of parallel lines, by monotone chains: the lower over the first points, then the upper over the last
// ones, backwards (where they meet a point may come twice). Affine: the spacing can wait.
void hull(const Plane& plane, std::vector<Planar>& out) {
    out.clear();
    std::size_t start = 0;
    auto append = [&](const Planar& p) {
        auto turn = [&](const Planar& o, const Planar& a) {
            return static_cast<std::int64_t>(a[0] - o[0]) * (p[1] - o[1]) - static_cast<std::int64_t>(a[1] - o[1]) * (p[0] - o[0]);
        };
        while (out.size() >= start + 2 && turn(out[out.size() - 2], out.back()) <= 0) out.pop_back();
        out.push_back(p);
    };
    for (int n = 0; n < plane.lines; ++n)
        if (plane.first_of(n) <= plane.last_of(n)) append({n, plane.first_of(n)});
    start = out.size();
    for (int n = plane.lines; n-- > 0;)
        if (plane.first_of(n) <= plane.last_of(n)) append({n, plane.last_of(n)});
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

// Square of a diameter that no two points of the plane exceed: of the circle around all of them from the middle of their box.
double enclosing_circle(const Plane& plane, double a, double b) {
    int begin = 0, end = plane.lines, low = std::numeric_limits<int>::max(), high = -1;
    while (begin < end && plane.first_of(begin) > plane.last_of(begin)) ++begin;
    while (begin < end && plane.first_of(end - 1) > plane.last_of(end - 1)) --end;
    if (begin == end) return 0;
    for (int n = begin; n < end; ++n) {
        low = std::min(low, plane.first_of(n));
        high = std::max(high, plane.last_of(n));
    }
    const int middle = begin + end - 1, centre = low + high;  // twice the centre
    double furthest = 0;
    for (int n = begin; n < end; ++n) {
        if (plane.first_of(n) > plane.last_of(n)) continue;
        const double x = (2 * n - middle) * a, y = std::max(centre - 2 * plane.first_of(n), 2 * plane.last_of(n) - centre) * b;
        furthest = std::max(furthest, x * x + y * y);
    }
    return furthest * (1 + 1e-12);
}

// Largest squared distance within one of the planes; those whose circle is too small are passed over.
template <class Planes>
double widest_of(int planes, const Planes& plane_at, double a, double b) {
    std::vector<std::pair<double, int>> circles;
    for (int n = 0; n < planes; ++n)
        if (const double circle = enclosing_circle(plane_at(n), a, b); circle > 0) circles.push_back({circle, n});
    std::sort(circles.begin(), circles.end(), [](const auto& x, const auto& y) { return x.first > y.first; });
    double best = 0;
    std::vector<Planar> corners;
    for (const auto& [circle, n] : circles) {
        if (circle <= best) break;
        hull(plane_at(n), corners);
        best = std::max(best, widest(corners, a, b));
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
    std::vector<double> from_centre(points.size());
    double furthest = 0;
    for (std::size_t i = 0; i < points.size(); ++i) furthest = std::max(furthest, from_centre[i] = std::sqrt(squared(points[i], centre)));
    std::vector<std::pair<double, std::size_t>> radius;
    for (std::size_t i = 0; i < points.size(); ++i)
        if (from_centre[i] + furthest >= std::sqrt(best) * (1 - 1e-12)) radius.push_back({from_centre[i], i});
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
    std::vector<std::uint8_t> index(static_cast<std::size_t>(region.step[0] + 64));
    for (int k = 0; k + 1 < nk; ++k) {
        // all cubes of a plane in one go; those that straddle the end of a row lie on padding and are empty
        kernels.cubes(region.mask_origin() + k * region.step[0], region.step[0] - region.step[1], region.step[1], region.step[0], index.data());
        cubes.add_plane(index.data(), k, nj - 1, ni);
    }

    Extremes in_rows(nk, nj, ni), in_columns(nk, ni, nj);
    for (int k = 1; k + 1 < nk; ++k) {
        const Run* begin = region.runs.data() + region.plane_begin[static_cast<std::size_t>(k - 1)];
        const Run* end = region.runs.data() + region.plane_begin[static_cast<std::size_t>(k)];
        Index row = k * region.step[0];  // offset at which row j begins
        int j = 0;
        for (const Run* run = begin; run != end; ++run) {
            for (; run->offset >= row + region.step[1]; row += region.step[1]) ++j;
            const int i = static_cast<int>(run->offset - row);
            const std::size_t line = in_rows.line(k, j);
            in_rows.first[line] = std::min(in_rows.first[line], i);
            in_rows.last[line] = i + static_cast<int>(run->length) - 1;
            std::fill_n(in_columns.last.begin() + static_cast<Index>(in_columns.line(k, i)), run->length, j);
        }
        for (const Run* run = end; run-- != begin;) {
            for (; run->offset < row; row -= region.step[1]) --j;
            std::fill_n(in_columns.first.begin() + static_cast<Index>(in_columns.line(k, static_cast<int>(run->offset - row))), run->length, j);
        }
    }
    const Extremes along_i = vertices(nk, ni, in_rows), along_j = vertices(nk, nj, in_columns);

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

    // lines side by side in a plane (of constant k: along i or j), or above each other (of constant j or i)
    auto side_by_side = [](const Extremes& e, int plane) {
        return Plane{e.first.data() + e.line(plane, 0), e.last.data() + e.line(plane, 0), e.columns, 1};
    };
    auto stacked = [&](const Extremes& e, int column) {
        return Plane{e.first.data() + column, e.last.data() + column, 2 * nk, static_cast<std::size_t>(e.columns)};
    };
    result.slice = widest_of(2 * nk, [&](int k) { return side_by_side(along_i, k); }, half[1], half[2]);
    result.column = widest_of(2 * nj, [&](int j) { return stacked(along_i, j); }, half[0], half[2]);
    result.row = widest_of(2 * ni, [&](int i) { return stacked(along_j, i); }, half[0], half[1]);
    std::vector<Planar> corners;
    for (int k = 0; k < 2 * nk; ++k) {
        hull(side_by_side(along_i, k), corners);
        for (const Planar& p : corners) result.corners.push_back({k, p[0], p[1]});
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
