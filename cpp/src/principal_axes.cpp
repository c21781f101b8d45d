#include "isthmus/principal_axes.hpp"

#include <algorithm>
#include <cmath>

namespace isthmus {

std::array<double, 3> eigenvalues(double (&a)[3][3]) {
    for (int sweep = 0; sweep < 60; ++sweep) {
        const double off = std::abs(a[0][1]) + std::abs(a[0][2]) + std::abs(a[1][2]);
        if (off == 0) break;
        for (int p = 0; p < 2; ++p)
            for (int q = p + 1; q < 3; ++q) {
                if (a[p][q] == 0) continue;
                const double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
                const double t = (theta < 0 ? -1 : 1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
                const double c = 1 / std::sqrt(t * t + 1), s = t * c, apq = a[p][q];
                const int r = 3 - p - q;
                a[p][p] -= t * apq;
                a[q][q] += t * apq;
                a[p][q] = a[q][p] = 0;
                const double rp = a[r][p], rq = a[r][q];
                a[r][p] = a[p][r] = c * rp - s * rq;
                a[r][q] = a[q][r] = s * rp + c * rq;
            }
    }
    std::array<double, 3> e{a[0][0], a[1][1], a[2][2]};
    std::sort(e.begin(), e.end());
    return e;
}

std::array<double, 3> principal_moments(const Region& region) {
    const std::int64_t centre[3] = {region.padded[0] / 2, region.padded[1] / 2, region.padded[2] / 2};
    std::int64_t first[3] = {}, second[3][3] = {};
    for (const Run& run : region.runs) {
        const std::array<Index, 3> at = region.coordinates(run.offset);
        const std::int64_t n = run.length, k = at[0] + 1 - centre[0], j = at[1] + 1 - centre[1], i = at[2] + 1 - centre[2];
        const std::int64_t si = n * i + n * (n - 1) / 2;                                             // sum of i ... i + n - 1
        const std::int64_t sii = n * i * i + i * n * (n - 1) + n * (n - 1) * (2 * n - 1) / 6;        // and of the squares
        first[0] += n * k;
        first[1] += n * j;
        first[2] += si;
        second[0][0] += n * k * k;
        second[0][1] += n * k * j;
        second[0][2] += k * si;
        second[1][1] += n * j * j;
        second[1][2] += j * si;
        second[2][2] += sii;
    }
    const double n = static_cast<double>(region.size);
    double c[3][3];
    for (int a = 0; a < 3; ++a)
        for (int b = a; b < 3; ++b)
            c[a][b] = c[b][a] = (static_cast<double>(second[a][b]) - static_cast<double>(first[a]) * static_cast<double>(first[b]) / n) / n *
                                region.spacing[a] * region.spacing[b];
    std::array<double, 3> e = eigenvalues(c);
    // a line or a plane has variances of exactly 0; the rotations leave rounding noise there
    for (double& value : e)
        if (value < 1e-14 * e[2]) value = 0;
    return e;
}

}  // namespace isthmus
