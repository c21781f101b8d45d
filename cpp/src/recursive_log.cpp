#include "isthmus/recursive_log.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace isthmus {

namespace {

// Sums over one set of coefficients c[0], c[1], ...: of c, of k c and of k squared c.
struct Sums {
    double plain, linear, square;
};

// Products of exponentials and waves that both polynomials are made of.
struct Waves {
    double sin1, sin2, cos1, cos2, exp1, exp2;

    explicit Waves(double sigma)
        : sin1(std::sin(0.6681 / sigma)), sin2(std::sin(2.0787 / sigma)), cos1(std::cos(0.6681 / sigma)),
          cos2(std::cos(2.0787 / sigma)), exp1(std::exp(-1.3932 / sigma)), exp2(std::exp(-1.3732 / sigma)) {}
};

Sums denominator(const Waves& w, double (&d)[4]) {
    d[3] = w.exp1 * w.exp1 * w.exp2 * w.exp2;
    d[2] = -2 * w.cos1 * w.exp1 * w.exp2 * w.exp2;
    d[2] += -2 * w.cos2 * w.exp2 * w.exp1 * w.exp1;
    d[1] = 4 * w.cos2 * w.cos1 * w.exp1 * w.exp2;
    d[1] += w.exp1 * w.exp1 + w.exp2 * w.exp2;
    d[0] = -2 * (w.exp2 * w.cos2 + w.exp1 * w.cos1);
    return {1.0 + d[0] + d[1] + d[2] + d[3], d[0] + 2 * d[1] + 3 * d[2] + 4 * d[3], d[0] + 4 * d[1] + 9 * d[2] + 16 * d[3]};
}

Sums numerator(const Waves& w, double a1, double b1, double a2, double b2, double (&n)[4]) {
    n[0] = a1 + a2;
    n[1] = w.exp2 * (b2 * w.sin2 - (a2 + 2 * a1) * w.cos2);
    n[1] += w.exp1 * (b1 * w.sin1 - (a1 + 2 * a2) * w.cos1);
    n[2] = (a1 + a2) * w.cos2 * w.cos1;
    n[2] -= b1 * w.cos2 * w.sin1 + b2 * w.cos1 * w.sin2;
    n[2] *= 2 * w.exp1 * w.exp2;
    n[2] += a2 * w.exp1 * w.exp1 + a1 * w.exp2 * w.exp2;
    n[3] = w.exp2 * w.exp1 * w.exp1 * (b2 * w.sin2 - a2 * w.cos2);
    n[3] += w.exp1 * w.exp2 * w.exp2 * (b1 * w.sin1 - a1 * w.cos1);
    return {n[0] + n[1] + n[2] + n[3], n[1] + 2 * n[2] + 3 * n[3], n[1] + 4 * n[2] + 9 * n[3]};
}

// The backward coefficients of a symmetric kernel, and those that continue the border value to infinity.
void complete(Recursion& r) {
    r.m[0] = r.n[1] - r.d[0] * r.n[0];
    r.m[1] = r.n[2] - r.d[1] * r.n[0];
    r.m[2] = r.n[3] - r.d[2] * r.n[0];
    r.m[3] = -r.d[3] * r.n[0];
    const double sum_n = r.n[0] + r.n[1] + r.n[2] + r.n[3], sum_m = r.m[0] + r.m[1] + r.m[2] + r.m[3];
    const double sum_d = 1.0 + r.d[0] + r.d[1] + r.d[2] + r.d[3];
    for (int k = 0; k < 4; ++k) {
        r.bn[k] = r.d[k] * sum_n / sum_d;
        r.bm[k] = r.d[k] * sum_m / sum_d;
    }
}

}  // namespace

Recursion gaussian_recursion(double sigma, double spacing) {
    const Waves waves(sigma / spacing);
    Recursion r;
    const Sums d = denominator(waves, r.d);
    const Sums n = numerator(waves, 1.3530, 1.8151, -0.3531, 0.0902, r.n);
    const double scale = 1.0 / (2 * n.plain / d.plain - r.n[0]);
    for (double& value : r.n) value *= scale;
    complete(r);
    return r;
}

Recursion second_derivative_recursion(double sigma, double spacing) {
    const Waves waves(sigma / spacing);
    Recursion r;
    const Sums d = denominator(waves, r.d);
    double n0[4], n2[4];
    const Sums s0 = numerator(waves, 1.3530, 1.8151, -0.3531, 0.0902, n0);
    const Sums s2 = numerator(waves, -1.3563, 5.2318, 0.3446, -2.2355, n2);
    const double beta = -(2 * s2.plain - d.plain * n2[0]) / (2 * s0.plain - d.plain * n0[0]);
    for (int k = 0; k < 4; ++k) r.n[k] = n2[k] + beta * n0[k];
    const double sn = s2.plain + beta * s0.plain, dn = s2.linear + beta * s0.linear, en = s2.square + beta * s0.square;
    double alpha = en * d.plain * d.plain - d.square * sn * d.plain - 2 * dn * d.linear * d.plain + 2 * d.linear * d.linear * sn;
    alpha /= d.plain * d.plain * d.plain;
    const double scale = sigma * sigma / alpha;
    for (double& value : r.n) value *= scale;
    complete(r);
    return r;
}

namespace {

Index padded(Index n, Index lanes) { return (n + lanes - 1) / lanes * lanes; }

// A plane of numbers whose sides are padded with zeros to whole groups of lines.
template <class T>
struct Plane {
    Index rows, step;
    Buffer<T> values;
    Plane(Index rows_, Index columns, Index lanes)
        : rows(padded(rows_, lanes)), step(padded(columns, lanes)), values(rows * step) {
        std::fill_n(values.data(), values.size(), T(0));
    }
    T* row(Index i) { return values.data() + i * step; }
};

// One axis of the region: where it starts in the image, its length, and the part of it that is wanted.
struct Axis {
    Index start, length, first, last;
    Index wanted() const { return last - first; }
};

template <class T>
class Laplacian {
public:
    Laplacian(const std::array<Axis, 3>& axes, const FilterKernels& kernels, LogWorkspace& workspace)
        : axes_(axes), kernels_(kernels), workspace_(workspace) {
        const Index longest = std::max({axes[0].length, axes[1].length, axes[2].length});
        scratch_ = workspace.recursion.at_least(recursion_scratch(kernels.lanes, longest));
    }

    template <class V>
    Buffer<float> run(const V* data, const std::array<Index, 3>& stride, const std::array<double, 3>& spacing, double sigma) {
        const Axis &z = axes_[0], &y = axes_[1], &x = axes_[2];
        Recursion smooth[3], derive[3];
        for (int a = 0; a < 3; ++a) {
            smooth[a] = gaussian_recursion(sigma, spacing[a]);
            derive[a] = second_derivative_recursion(sigma, spacing[a]);
        }
        const V* corner = data + z.start * stride[0] + y.start * stride[1] + x.start * stride[2];
        const Index wide = padded(x.wanted(), kernels_.lanes);
        const Index room = std::max(z.length * plane_step(y), y.length * plane_step(z));
        if (workspace_.volume.size() < room) std::fill_n(workspace_.volume.at_least(room), room, 0.0f);  // lanes beyond the box are read, too
        volume_ = workspace_.volume.data();
        Buffer<float> out(z.wanted() * y.wanted() * x.wanted());
        const std::vector<float> nothing(static_cast<std::size_t>(x.wanted()));
        // in ITK's order: along x, y, z the second derivative, then smoothing along the two others
        const auto add = [&](const float* value, int axis, const float* sum, Index k, Index j) {
            float* to = out.data() + (k * y.wanted() + j) * x.wanted();
            kernels_.add_scaled(value, 1.0 / (spacing[axis] * spacing[axis]), sum == nullptr ? to : sum, to, x.wanted());
        };
        slabs<V>(corner, stride[0], stride[1], stride[2], z, y, true, derive[2], smooth[1], smooth[0], [&](const float* rows, Index j) {
            for (Index k = 0; k < z.wanted(); ++k) add(rows + k * wide, 2, nothing.data(), k, j);
        });
        slabs<V>(corner, stride[0], stride[1], stride[2], z, y, false, derive[1], smooth[2], smooth[0], [&](const float* rows, Index j) {
            for (Index k = 0; k < z.wanted(); ++k) add(rows + k * wide, 1, nullptr, k, j);
        });
        slabs<V>(corner, stride[1], stride[0], stride[2], y, z, false, derive[0], smooth[2], smooth[1], [&](const float* rows, Index k) {
            for (Index j = 0; j < y.wanted(); ++j) add(rows + j * wide, 0, nullptr, k, j);
        });
        return out;
    }

private:
    // From one plane of the volume to the next: an odd number of cache lines, so that a column across the planes fills the whole cache.
    Index plane_step(const Axis& column) const {
        constexpr Index line = 16;
        return (padded(column.wanted(), kernels_.lanes) * padded(axes_[2].wanted(), kernels_.lanes) / line | 1) * line;
    }

    // One of the three terms. Slab by slab across `slab` (z or y): a plane of rows along x and columns along `column` (y or z) is
    // filtered twice, along x first or last; then across the slabs. All that belongs to one row of the planes is taken together, a row
    // of `wide` numbers for each slab.
    template <class V, class Take>
    void slabs(const V* corner, Index slab_stride, Index column_stride, Index row_stride, const Axis& slab, const Axis& column, bool rows_first,
               const Recursion& one, const Recursion& two, const Recursion& outer, const Take& take) {
        const Axis& x = axes_[2];
        const Index lanes = kernels_.lanes, wide = padded(x.wanted(), lanes), step = plane_step(column);
        Plane<T> source(column.length, x.length, lanes);  // or of it the last rows and columns that do not fill a group
        Plane<float> between(rows_first ? column.length : column.wanted(), rows_first ? x.wanted() : x.length, lanes);
        const bool in_place = std::is_same_v<T, V> && row_stride == 1;
        for (Index s = 0; s < slab.length; ++s) {
            const V* plane = corner + s * slab_stride;
            const Index whole_rows = in_place && rows_first ? column.length / lanes * lanes : 0;
            const Index whole_columns = in_place && !rows_first ? x.length / lanes * lanes : 0;
            for (Index r = whole_rows; r < column.length; ++r) {
                const V* from = plane + r * column_stride;
                T* to = source.row(r);
                if (row_stride == 1)
                    for (Index i = whole_columns; i < x.length; ++i) to[i] = static_cast<T>(from[i]);
                else
                    for (Index i = 0; i < x.length; ++i) to[i] = static_cast<T>(from[i * row_stride]);
            }
            float* slice = volume_ + s * step;
            if (rows_first) {
                if constexpr (std::is_same_v<T, V>) rows(plane, column_stride, 0, whole_rows, x, one, between.row(0), between.step);
                rows(source.row(0), source.step, whole_rows, column.length, x, one, between.row(0), between.step);
                columns(between.row(0), between.step, 0, x.wanted(), column, two, slice, wide);
            } else {
                if constexpr (std::is_same_v<T, V>) columns(plane, column_stride, 0, whole_columns, column, one, between.row(0), between.step);
                columns(source.row(0), source.step, whole_columns, x.length, column, one, between.row(0), between.step);
                rows(between.row(0), between.step, 0, column.wanted(), x, two, slice, wide);
            }
        }
        float* finished = workspace_.finished.at_least(slab.wanted() * wide);
        for (Index r = 0; r < column.wanted(); ++r) {
            columns(volume_ + r * wide, step, 0, x.wanted(), slab, outer, finished, wide);
            take(finished, r);
        }
    }

    // Columns [from, to) in groups.
    template <class S>
    void columns(const S* in, Index step, Index from, Index to, const Axis& along, const Recursion& r, float* out, Index out_step) {
        for (Index at = from; at < to; at += kernels_.lanes)
            if constexpr (std::is_same_v<S, float>)
                kernels_.columns32(in + at, step, to - at, along.length, along.first, along.last, r, out + at, out_step, scratch_);
            else
                kernels_.columns64(in + at, step, to - at, along.length, along.first, along.last, r, out + at, out_step, scratch_);
    }

    template <class S>
    void rows(const S* in, Index step, Index from, Index to, const Axis& along, const Recursion& r, float* out, Index out_step) {
        for (Index at = from; at < to; at += kernels_.lanes)
            if constexpr (std::is_same_v<S, float>)
                kernels_.rows32(in + at * step, step, to - at, along.length, along.first, along.last, r, out + at * out_step, out_step, scratch_);
            else
                kernels_.rows64(in + at * step, step, to - at, along.length, along.first, along.last, r, out + at * out_step, out_step, scratch_);
    }

    std::array<Axis, 3> axes_;
    const FilterKernels& kernels_;
    LogWorkspace& workspace_;
    double* scratch_;
    float* volume_ = nullptr;
};

}  // namespace

Buffer<float> recursive_log(const ImageView& image, const std::array<double, 3>& spacing, double sigma,
                                 const std::array<Index, 3>& low, const std::array<Index, 3>& high,
                                 const std::array<Index, 3>& margin, const FilterKernels& kernels, LogWorkspace& workspace) {
    std::array<Axis, 3> axes;
    for (int a = 0; a < 3; ++a) {
        Index start = std::max<Index>(low[a] - margin[a], 0), stop = std::min(high[a] + margin[a], image.shape[a]);
        while (stop - start < 4) {  // the recursion starts on four samples
            if (start > 0) --start;
            if (stop < image.shape[a]) ++stop;
        }
        axes[a] = {start, stop - start, low[a] - start, high[a] - start};
    }
    // float holds every int16 exactly
    switch (image.scalar) {
        case Scalar::int16:
            return Laplacian<float>(axes, kernels, workspace).run(static_cast<const std::int16_t*>(image.data), image.stride, spacing, sigma);
        case Scalar::float32:
            return Laplacian<float>(axes, kernels, workspace).run(static_cast<const float*>(image.data), image.stride, spacing, sigma);
        case Scalar::int32:
            return Laplacian<double>(axes, kernels, workspace).run(static_cast<const std::int32_t*>(image.data), image.stride, spacing, sigma);
        case Scalar::float64: break;
    }
    return Laplacian<double>(axes, kernels, workspace).run(static_cast<const double*>(image.data), image.stride, spacing, sigma);
}

}  // namespace isthmus
