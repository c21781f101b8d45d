#include "isthmus/convex_hull.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace isthmus {

namespace {

// Coordinates stay below 2^17, so normals fit 36 bits and distances 54.
using Integers = std::array<std::int64_t, 3>;

Integers difference(const LatticePoint& a, const LatticePoint& b) { return {a.k - b.k, a.j - b.j, a.i - b.i}; }
Integers cross(const Integers& a, const Integers& b) {
    return {a[1] * b[2] - b[1] * a[2], a[2] * b[0] - b[2] * a[0], a[0] * b[1] - b[0] * a[1]};
}
std::int64_t dot(const Integers& a, const Integers& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

struct Face {
    std::array<int, 3> corner, neighbour{-1, -1, -1};
    Integers normal;
    std::int64_t offset;
    std::vector<int> beyond{};  // points not yet in the hull that see this face
    int farthest = -1;
    std::int64_t reach = 0;
    bool alive = true, seen = false;
};

class Quickhull {
public:
    explicit Quickhull(std::span<const LatticePoint> points) : points_(points), starts_(points.size(), -1), ends_(points.size(), -1) {}

    std::vector<Face> run() {
        std::vector<int> rest(points_.size());
        for (std::size_t n = 0; n < rest.size(); ++n) rest[n] = static_cast<int>(n);
        first_tetrahedron();
        for (int n : rest) assign(n, 0, static_cast<int>(faces_.size()));
        for (std::size_t f = 0; f < faces_.size(); ++f)  // new faces are appended and come later
            if (faces_[f].alive && !faces_[f].beyond.empty()) add(faces_[f].farthest, static_cast<int>(f));
        return std::move(faces_);
    }

private:
    const LatticePoint& at(int n) const { return points_[static_cast<std::size_t>(n)]; }
    Face& face(int n) { return faces_[static_cast<std::size_t>(n)]; }

    std::int64_t height(const Face& f, int n) const { return f.normal[0] * at(n).k + f.normal[1] * at(n).j + f.normal[2] * at(n).i - f.offset; }

    int create(int a, int b, int c) {
        Face f{.corner = {a, b, c}, .normal = cross(difference(at(b), at(a)), difference(at(c), at(a))), .offset = 0};
        f.offset = f.normal[0] * at(a).k + f.normal[1] * at(a).j + f.normal[2] * at(a).i;
        faces_.push_back(std::move(f));
        return static_cast<int>(faces_.size()) - 1;
    }

    void assign(int n, int first, int last) {
        for (int f = first; f < last; ++f)
            if (const std::int64_t h = height(face(f), n); h > 0) {
                face(f).beyond.push_back(n);
                if (h > face(f).reach) face(f).reach = h, face(f).farthest = n;
                return;
            }
    }

    void first_tetrahedron() {
        auto before = [](const LatticePoint& a, const LatticePoint& b) { return std::tie(a.k, a.j, a.i) < std::tie(b.k, b.j, b.i); };
        const auto [low, high] = std::minmax_element(points_.begin(), points_.end(), before);
        const int a = static_cast<int>(low - points_.begin()), b = static_cast<int>(high - points_.begin());
        int c = -1, d = -1;
        double widest = 0;
        for (int n = 0; n < static_cast<int>(points_.size()); ++n) {
            const Integers v = cross(difference(at(b), at(a)), difference(at(n), at(a)));
            const double w = static_cast<double>(v[0]) * static_cast<double>(v[0]) + static_cast<double>(v[1]) * static_cast<double>(v[1]) +
                             static_cast<double>(v[2]) * static_cast<double>(v[2]);
            if (w > widest) widest = w, c = n;
        }
        std::int64_t reach = 0;
        if (c >= 0) {
            const Integers normal = cross(difference(at(b), at(a)), difference(at(c), at(a)));
            for (int n = 0; n < static_cast<int>(points_.size()); ++n)
                if (const std::int64_t h = dot(normal, difference(at(n), at(a))); std::abs(h) > std::abs(reach)) reach = h, d = n;
        }
        if (d < 0) throw std::invalid_argument("a convex hull needs four points that do not lie in one plane");
        const int x = reach > 0 ? c : b, y = reach > 0 ? b : c;  // so that d lies below the first face
        create(a, x, y);
        create(x, a, d);
        create(y, x, d);
        create(a, y, d);
        face(0).neighbour = {1, 2, 3};
        face(1).neighbour = {0, 3, 2};
        face(2).neighbour = {0, 1, 3};
        face(3).neighbour = {0, 2, 1};
    }

    // Replaces the faces that point `p` sees by a cone from the horizon to it.
    void add(int p, int from) {
        visible_.assign(1, from);
        horizon_.clear();
        face(from).seen = true;
        for (std::size_t n = 0; n < visible_.size(); ++n) {
            const int f = visible_[n];
            for (int e = 0; e < 3; ++e) {
                const int g = face(f).neighbour[static_cast<std::size_t>(e)];
                if (face(g).seen) continue;
                if (height(face(g), p) > 0) {
                    face(g).seen = true;
                    visible_.push_back(g);
                } else {
                    const auto [a, b] = edge(face(f), e);
                    horizon_.push_back({a, b, g});
                }
            }
        }
        const int first = static_cast<int>(faces_.size());
        for (const auto& [a, b, g] : horizon_) {
            const int f = create(a, b, p);
            face(f).neighbour[0] = g;
            for (int e = 0; e < 3; ++e)
                if (edge(face(g), e) == std::pair{b, a}) face(g).neighbour[static_cast<std::size_t>(e)] = f;
            starts_[static_cast<std::size_t>(a)] = ends_[static_cast<std::size_t>(b)] = f;
        }
        const int last = static_cast<int>(faces_.size());
        for (int f = first; f < last; ++f) {
            face(f).neighbour[1] = starts_[static_cast<std::size_t>(face(f).corner[1])];
            face(f).neighbour[2] = ends_[static_cast<std::size_t>(face(f).corner[0])];
        }
        for (int f : visible_) {
            const std::vector<int> orphans = std::move(face(f).beyond);
            face(f).beyond.clear();
            face(f).alive = false;
            for (int n : orphans) assign(n, first, last);
        }
    }

    static std::pair<int, int> edge(const Face& f, int e) {
        return {f.corner[static_cast<std::size_t>(e)], f.corner[static_cast<std::size_t>((e + 1) % 3)]};
    }

    std::span<const LatticePoint> points_;
    std::vector<Face> faces_;
    std::vector<int> visible_, starts_, ends_;
    std::vector<std::array<int, 3>> horizon_;
};

}  // namespace

ConvexHull convex_hull(std::span<const LatticePoint> points) {
    const std::vector<Face> faces = Quickhull(points).run();
    ConvexHull hull;
    std::vector<int> vertex(points.size(), -1), triangle(faces.size(), -1);
    int count = 0;
    for (std::size_t f = 0; f < faces.size(); ++f)
        if (faces[f].alive) triangle[f] = count++;
    for (const Face& f : faces) {
        if (!f.alive) continue;
        Triangle t{.corner = {}, .neighbour = {}, .normal = f.normal};
        for (std::size_t e = 0; e < 3; ++e) {
            int& v = vertex[static_cast<std::size_t>(f.corner[e])];
            if (v < 0) {
                v = static_cast<int>(hull.vertices.size());
                hull.vertices.push_back(points[static_cast<std::size_t>(f.corner[e])]);
            }
            t.corner[e] = v;
            t.neighbour[e] = triangle[static_cast<std::size_t>(f.neighbour[e])];
        }
        hull.triangles.push_back(t);
        hull.volume6 += dot(f.normal, difference(points[static_cast<std::size_t>(f.corner[0])], points[0]));
    }
    return hull;
}

Solid measure(const ConvexHull& hull, const std::array<double, 3>& step) {
    double area = 0;
    for (const Triangle& t : hull.triangles) {
        const double a = static_cast<double>(t.normal[0]) * step[1] * step[2], b = static_cast<double>(t.normal[1]) * step[0] * step[2],
                     c = static_cast<double>(t.normal[2]) * step[0] * step[1];
        area += std::sqrt(a * a + b * b + c * c) / 2;
    }
    return {static_cast<double>(hull.volume6) / 6 * step[0] * step[1] * step[2], area};
}

}  // namespace isthmus
