#include "isthmus/enclosing.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "isthmus/principal_axes.hpp"

namespace isthmus {

namespace {

using Vector = std::array<double, 3>;

double dot(const Vector& a, const Vector& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
Vector cross(const Vector& a, const Vector& b) {
    return {a[1] * b[2] - b[1] * a[2], a[2] * b[0] - b[2] * a[0], a[0] * b[1] - b[0] * a[1]};
}
Vector unit(const Vector& a) {
    const double length = std::sqrt(dot(a, a));
    return {a[0] / length, a[1] / length, a[2] / length};
}

std::vector<Vector> in_mm(const ConvexHull& hull, const std::array<double, 3>& step) {
    std::vector<Vector> points;
    points.reserve(hull.vertices.size());
    for (const LatticePoint& p : hull.vertices) points.push_back({p.k * step[0], p.j * step[1], p.i * step[2]});
    return points;
}

using Planar = std::array<double, 2>;

double turn(const Planar& o, const Planar& a, const Planar& b) { return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]); }

// Convex polygon around the points, counter-clockwise (monotone chains). The points are sorted on the way.
void polygon(std::vector<Planar>& points, std::vector<Planar>& out) {
    std::sort(points.begin(), points.end());
    out.clear();
    auto chain = [&](auto begin, auto end) {
        const std::size_t start = out.size();
        for (auto p = begin; p != end; ++p) {
            while (out.size() >= start + 2 && turn(out[out.size() - 2], out.back(), *p) <= 0) out.pop_back();
            out.push_back(*p);
        }
        out.pop_back();  // it starts the other chain
    };
    chain(points.begin(), points.end());
    chain(points.rbegin(), points.rend());
    // corners that rounding made double would stop the walk around the polygon
    const double apart = 1e-9 * (std::abs(points.back()[0] - points.front()[0]) + std::abs(points.back()[1] - points.front()[1]));
    auto same = [&](const Planar& a, const Planar& b) { return std::abs(a[0] - b[0]) + std::abs(a[1] - b[1]) <= apart; };
    out.erase(std::unique(out.begin(), out.end(), same), out.end());
    while (out.size() > 1 && same(out.front(), out.back())) out.pop_back();
}

struct Rectangle {
    double area = std::numeric_limits<double>::infinity();
    double width = 0, height = 0;
    Planar along{1, 0};
};

// Smallest rectangle around a convex polygon: one of its sides holds an edge of the polygon.
Rectangle smallest_rectangle(const std::vector<Planar>& p) {
    Rectangle best;
    const std::size_t n = p.size();
    if (n < 3) return best;
    std::size_t right = 1, top = 1, left = 1;
    for (std::size_t e = 0; e < n; ++e) {
        const Planar& a = p[e];
        const Planar& b = p[(e + 1) % n];
        const double dx = b[0] - a[0], dy = b[1] - a[1], length = std::sqrt(dx * dx + dy * dy);
        const double x = dx / length, y = dy / length;
        auto along = [&](std::size_t q) { return p[q % n][0] * x + p[q % n][1] * y; };
        auto across = [&](std::size_t q) { return p[q % n][1] * x - p[q % n][0] * y; };
        right = std::max(right, e + 1);
        while (along(right + 1) > along(right)) ++right;
        top = std::max(top, right);
        while (across(top + 1) > across(top)) ++top;
        left = std::max(left, top);
        while (along(left + 1) < along(left)) ++left;
        const double width = along(right) - along(left), height = across(top) - across(e);
        if (width * height < best.area) best = {width * height, width, height, {x, y}};
    }
    return best;
}

struct Box {
    double volume = std::numeric_limits<double>::infinity();
    std::array<double, 3> sides{};
    std::array<Vector, 3> axes{};
};

// f(u) is the smallest box with one axis along u: the extent along u times the smallest rectangle around the shadow. The smallest box of
// all is the minimum of f over the half sphere. f is sampled along facet normals, edges and a coarse grid; its lowest valleys are followed down.
class BoxSearch {
public:
    BoxSearch(const ConvexHull& hull, const std::array<double, 3>& step) : points_(in_mm(hull, step)) {
        normals_.reserve(hull.triangles.size());
        for (const Triangle& t : hull.triangles)  // of the length of twice the area, in mm2
            normals_.push_back({static_cast<double>(t.normal[0]) * step[1] * step[2], static_cast<double>(t.normal[1]) * step[0] * step[2],
                                static_cast<double>(t.normal[2]) * step[0] * step[1]});
        seen_.resize(normals_.size());
        for (std::size_t t = 0; t < hull.triangles.size(); ++t)
            for (std::size_t e = 0; e < 3; ++e)
                if (const auto g = static_cast<std::size_t>(hull.triangles[t].neighbour[e]); t < g)
                    edges_.push_back({t, g, static_cast<std::size_t>(hull.triangles[t].corner[e]), static_cast<std::size_t>(hull.triangles[t].corner[(e + 1) % 3])});
    }

    Solid run() {
        std::vector<Box> lowest;
        for (const Vector& u : directions()) {
            const Box box = along(u, lowest.size() < valleys ? std::numeric_limits<double>::infinity() : lowest.back().volume);
            if (!std::isfinite(box.volume)) continue;
            const auto near = std::find_if(lowest.begin(), lowest.end(), [&](const Box& other) { return std::abs(dot(other.axes[0], u)) > same_valley; });
            if (near == lowest.end())
                lowest.push_back(box);
            else if (box.volume < near->volume)
                *near = box;
            std::stable_sort(lowest.begin(), lowest.end(), [](const Box& a, const Box& b) { return a.volume < b.volume; });
            if (lowest.size() > valleys) lowest.pop_back();
        }
        // All of them a little and then nearly to their bottom, those near the lowest to all their digits. Several boxes may have the
        // least volume (bodies with symmetries): of those the one with the least area counts, however the body lies on the grid.
        auto sort = [&] { std::stable_sort(lowest.begin(), lowest.end(), [](const Box& a, const Box& b) { return a.volume < b.volume; }); };
        for (Box& box : lowest) {
            tilt(box, 0.01);
            descend(box, 1e-4);
        }
        sort();
        while (lowest.back().volume > lowest.front().volume * (1 + 1e-3)) lowest.pop_back();
        for (Box& box : lowest) descend(box, 1e-8);
        sort();
        const double least = lowest.front().volume * (1 + 1e-9);
        const Box& best = *std::min_element(lowest.begin(), lowest.end(), [&](const Box& a, const Box& b) {
            if ((a.volume <= least) != (b.volume <= least)) return a.volume <= least;
            return area(a) < area(b);
        });
        const auto [a, b, c] = best.sides;
        return {a * b * c, area(best)};
    }

private:
    static double area(const Box& box) {
        const auto [a, b, c] = box.sides;
        return 2 * (a * b + b * c + c * a);
    }

    struct Edge {
        std::size_t left, right, from, to;  // triangles on both sides, and ends as the left one runs along it
    };

    static constexpr std::size_t valleys = 8;
    static constexpr double same_valley = 0.99;                   // cosine of 8 degrees
    static constexpr int fine = 26, coarse = 6;                   // cells along a face of the cube of directions

    // Unit directions to try, one for every cell of the half cube of directions: in a fine one the normal of the largest facet or the
    // longest edge, in a coarse one that holds neither its middle. So their number is bounded, whatever the hull.
    std::vector<Vector> directions() const {
        struct Cell {
            double weight = 0;
            Vector direction{};
        };
        std::vector<Cell> facets(3 * fine * fine), edges(facets.size());
        std::vector<bool> taken(3 * coarse * coarse, false);
        auto offer = [&](std::vector<Cell>& cells, const Vector& v) {
            const double weight = dot(v, v);
            Cell& cell = cells[cell_of(v, fine)];
            if (weight > cell.weight * (1 + 1e-9)) cell = {weight, v};
            taken[cell_of(v, coarse)] = true;
        };
        for (const Vector& normal : normals_) offer(facets, normal);
        for (const Edge& e : edges_) {
            const Vector &p = points_[e.from], &q = points_[e.to];
            offer(edges, {q[0] - p[0], q[1] - p[1], q[2] - p[2]});
        }
        std::vector<Vector> out;
        for (const std::vector<Cell>* cells : {&facets, &edges})
            for (const Cell& cell : *cells)
                if (cell.weight > 0) out.push_back(unit(cell.direction));
        for (std::size_t n = 0; n < taken.size(); ++n)
            if (!taken[n]) {
                const std::size_t face = n / (coarse * coarse), row = n / coarse % coarse, column = n % coarse;
                Vector v{};
                v[face] = 1;
                v[(face + 1) % 3] = 2 * (static_cast<double>(row) + 0.5) / coarse - 1;
                v[(face + 2) % 3] = 2 * (static_cast<double>(column) + 0.5) / coarse - 1;
                out.push_back(unit(v));
            }
        return out;
    }

    static std::size_t cell_of(const Vector& v, int cells) {
        std::size_t face = 0;
        for (std::size_t a = 1; a < 3; ++a)
            if (std::abs(v[a]) > std::abs(v[face])) face = a;
        auto place = [&](double x) { return std::min(cells - 1, static_cast<int>((x / v[face] + 1) / 2 * cells)); };
        return (face * static_cast<std::size_t>(cells) + static_cast<std::size_t>(place(v[(face + 1) % 3]))) * static_cast<std::size_t>(cells) +
               static_cast<std::size_t>(place(v[(face + 2) % 3]));
    }

    // The smallest box with one axis along `u`, or an infinite one when it cannot be smaller than `limit`. Only the outline seen along u
    // can touch the other sides.
    Box along(const Vector& u, double limit) {
        double shadow = 0;
        for (std::size_t t = 0; t < normals_.size(); ++t) {
            const double facing = dot(normals_[t], u);
            seen_[t] = facing > 0;
            shadow += std::abs(facing);
        }
        double low = std::numeric_limits<double>::infinity(), high = -low;
        for (const Vector& p : points_) {
            const double h = dot(p, u);
            low = std::min(low, h);
            high = std::max(high, h);
        }
        if ((high - low) * shadow / 4 >= limit) return {};  // the box holds at least the prism over the shadow
        const std::size_t flat = std::abs(u[0]) <= std::abs(u[1]) && std::abs(u[0]) <= std::abs(u[2]) ? 0 : std::abs(u[1]) <= std::abs(u[2]) ? 1 : 2;
        Vector other{};
        other[flat] = 1;
        const Vector x = unit(cross(u, other)), y = cross(u, x);
        outline_.clear();
        for (const Edge& e : edges_)  // between a facet seen and one not seen (or edge-on): they form a ring, its corners are enough
            if (seen_[e.left] != seen_[e.right]) {
                const Vector& p = points_[seen_[e.left] ? e.from : e.to];
                outline_.push_back({dot(p, x), dot(p, y)});
            }
        polygon(outline_, polygon_);
        const Rectangle r = smallest_rectangle(polygon_);
        const auto [c, s] = r.along;
        return {r.area * (high - low),
                {high - low, r.width, r.height},
                {u, {c * x[0] + s * y[0], c * x[1] + s * y[1], c * x[2] + s * y[2]}, {c * y[0] - s * x[0], c * y[1] - s * x[1], c * y[2] - s * x[2]}}};
    }

    // Tilts the first axis by less and less, as long as the box becomes smaller.
    void tilt(Box& box, double smallest) {
        constexpr double diagonal = 0.70710678118654752;
        constexpr double ways[8][2] = {{1, 0},  {diagonal, diagonal},   {0, 1},  {-diagonal, diagonal},
                                       {-1, 0}, {-diagonal, -diagonal}, {0, -1}, {diagonal, -diagonal}};
        for (double angle = 0.1; angle > smallest;) {
            const Box from = box;
            for (const auto& [a, b] : ways) {
                Vector u = from.axes[0];
                for (std::size_t d = 0; d < 3; ++d) u[d] += angle * (a * from.axes[1][d] + b * from.axes[2][d]);
                const Box tried = along(unit(u), box.volume);
                if (tried.volume < box.volume * (1 - 1e-12)) box = tried;
            }
            if (box.volume == from.volume) angle /= 3;
        }
    }

    // Each axis in turn, until no turn helps.
    void descend(Box& box, double smallest) {
        double before;
        do {
            before = box.volume;
            for (int turn = 0; turn < 3; ++turn) {
                tilt(box, smallest);
                const Box next = along(box.axes[1], std::numeric_limits<double>::infinity());
                box = next.volume < box.volume ? next : Box{box.volume, {box.sides[1], box.sides[2], box.sides[0]}, {box.axes[1], box.axes[2], box.axes[0]}};
            }
        } while (box.volume < before * (1 - 1e-7));
    }

    std::vector<Vector> points_, normals_;
    std::vector<Edge> edges_;
    std::vector<std::uint8_t> seen_;
    std::vector<Planar> outline_, polygon_;
};

using Matrix4 = std::array<std::array<double, 4>, 4>;

// Inverse of a symmetric positive definite matrix by Gauss-Jordan elimination.
Matrix4 inverse(Matrix4 m) {
    Matrix4 out{};
    for (std::size_t a = 0; a < 4; ++a) out[a][a] = 1;
    for (std::size_t p = 0; p < 4; ++p) {
        const double pivot = m[p][p];
        for (std::size_t c = 0; c < 4; ++c) m[p][c] /= pivot, out[p][c] /= pivot;
        for (std::size_t r = 0; r < 4; ++r) {
            if (r == p) continue;
            const double factor = m[r][p];
            for (std::size_t c = 0; c < 4; ++c) m[r][c] -= factor * m[p][c], out[r][c] -= factor * out[p][c];
        }
    }
    return out;
}

}  // namespace

Solid oriented_box(const ConvexHull& hull, const std::array<double, 3>& step) { return BoxSearch(hull, step).run(); }

std::array<double, 3> enclosing_ellipsoid(const ConvexHull& hull, const std::array<double, 3>& step) {
    constexpr double dimension = 3, tolerance = 1e-7;
    constexpr int most_steps = 100000;
    // in a box of [-1, 1]: the problem is affine, and so well scaled
    Vector low{}, high{};
    low.fill(std::numeric_limits<double>::infinity());
    high.fill(-std::numeric_limits<double>::infinity());
    std::vector<Vector> points = in_mm(hull, {1, 1, 1});
    for (const Vector& p : points)
        for (std::size_t a = 0; a < 3; ++a) low[a] = std::min(low[a], p[a]), high[a] = std::max(high[a], p[a]);
    for (Vector& p : points)
        for (std::size_t a = 0; a < 3; ++a) p[a] = (2 * p[a] - low[a] - high[a]) / (high[a] - low[a]);

    // start from the outermost points along 13 directions
    const std::size_t n = points.size();
    std::vector<double> weight(n, 0), distance(n);
    std::vector<std::size_t> active;
    auto activate = [&](std::size_t p) {
        if (std::find(active.begin(), active.end(), p) == active.end()) active.push_back(p);
    };
    for (int d = 14; d < 27; ++d) {
        const Vector u{static_cast<double>(d / 9 - 1), static_cast<double>(d / 3 % 3 - 1), static_cast<double>(d % 3 - 1)};
        std::size_t least = 0, most = 0;
        for (std::size_t p = 0; p < n; ++p) {
            if (dot(points[p], u) < dot(points[least], u)) least = p;
            if (dot(points[p], u) > dot(points[most], u)) most = p;
        }
        activate(least);
        activate(most);
    }
    for (std::size_t p : active) weight[p] = 1 / static_cast<double>(active.size());

    Matrix4 moments{};
    double outermost = 0;
    for (int step_number = 0; step_number < most_steps; ++step_number) {
        moments = {};
        for (std::size_t p : active) {
            const std::array<double, 4> q{points[p][0], points[p][1], points[p][2], 1};
            for (std::size_t a = 0; a < 4; ++a)
                for (std::size_t b = 0; b < 4; ++b) moments[a][b] += weight[p] * q[a] * q[b];
        }
        const Matrix4 m = inverse(moments);
        std::size_t far = 0, near = active[0];
        for (std::size_t p = 0; p < n; ++p) {
            const auto& [x, y, z] = points[p];
            distance[p] = m[3][3] + x * (m[0][0] * x + 2 * (m[0][1] * y + m[0][2] * z + m[0][3])) + y * (m[1][1] * y + 2 * (m[1][2] * z + m[1][3])) +
                          z * (m[2][2] * z + 2 * m[2][3]);
            if (distance[p] > distance[far]) far = p;
        }
        for (std::size_t p : active)
            if (distance[p] < distance[near]) near = p;
        outermost = distance[far];
        const double too_far = outermost / (dimension + 1) - 1, too_near = 1 - distance[near] / (dimension + 1);
        if (std::max(too_far, too_near) <= tolerance) break;
        const std::size_t moved = too_far >= too_near ? far : near;
        double share = (distance[moved] - dimension - 1) / ((dimension + 1) * (distance[moved] - 1));
        const double least = -weight[moved] / (1 - weight[moved]);
        const bool drop = moved == near && too_far < too_near && share <= least;
        if (drop) share = least;
        for (std::size_t p : active) weight[p] *= 1 - share;
        weight[moved] += share;
        if (drop) {
            weight[moved] = 0;
            active.erase(std::find(active.begin(), active.end(), moved));
        } else {
            activate(moved);
        }
    }
    // shape matrix around the centre, scaled so that the outermost vertex lies on the surface
    double shape[3][3];
    for (std::size_t a = 0; a < 3; ++a)
        for (std::size_t b = 0; b < 3; ++b)
            shape[a][b] = (moments[a][b] - moments[a][3] * moments[b][3]) * (outermost - 1) * (high[a] - low[a]) / 2 * step[a] * (high[b] - low[b]) / 2 * step[b];
    std::array<double, 3> axes = eigenvalues(shape);
    for (double& axis : axes) axis = std::sqrt(axis);
    return axes;
}

Solid ellipsoid(const std::array<double, 3>& semi_axes) {
    const double pi = 3.14159265358979323846;
    const auto [c, b, a] = semi_axes;
    const double alpha2 = 1 - b * b / (a * a), beta2 = 1 - c * c / (a * a);
    // (alpha beta)^n P_n((alpha^2 + beta^2) / (2 alpha beta)) by Bonnet's recursion, which then needs no division by alpha beta
    double previous = 0, term = 1, sum = 0;
    for (int n = 0; n <= 20; ++n) {
        sum += term / (1 - 4.0 * n * n);
        const double next = ((2 * n + 1) * (alpha2 + beta2) / 2 * term - n * alpha2 * beta2 * previous) / (n + 1);
        previous = term;
        term = next;
    }
    return {4 * pi / 3 * a * b * c, 4 * pi * a * b * sum};
}

}  // namespace isthmus
