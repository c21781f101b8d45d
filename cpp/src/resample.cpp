#include "isthmus/resample.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

namespace isthmus {

namespace {

using Point = std::array<double, 3>;
using Voxel = std::array<Index, 3>;  // x, y, z

Point ends(const ResampleGrid& grid, const Voxel& voxel) {
    Point point = grid.new_origin, index{};
    for (int r = 0; r < 3; ++r)
        for (int c = 0; c < 3; ++c) point[r] += grid.to_point[3 * r + c] * static_cast<double>(voxel[c]);
    for (int c = 0; c < 3; ++c) point[c] -= grid.old_origin[c];
    for (int r = 0; r < 3; ++r) {
        index[r] = grid.to_index[3 * r] * point[0];
        for (int c = 1; c < 3; ++c) index[r] += grid.to_index[3 * r + c] * point[c];
    }
    return index;
}

bool diagonal(const std::array<double, 9>& matrix) {
    for (int i = 0; i < 9; ++i)
        if (i % 4 != 0 && matrix[i] != 0) return false;
    return true;
}

bool inside(double coordinate, Index length, double slack = 0.0) {
    return coordinate >= -0.5 - slack && coordinate < static_cast<double>(length) - 0.5 + slack;
}

// On oblique axes the coordinates of a row differ from those of the axis in their last digits: closer than this to where the image
// ends, or to the middle between two voxels, they are computed one by one.
constexpr double oblique_slack = 1e-9;

// Coordinates along one axis, those of the voxels on it; with parallel but oblique axes the others differ in the last digits.
std::vector<double> along(const ResampleGrid& grid, int axis) {
    std::vector<double> out(static_cast<std::size_t>(grid.size[axis]));
    for (Index i = 0; i < grid.size[axis]; ++i) {
        Voxel voxel{};
        voxel[axis] = i;
        out[static_cast<std::size_t>(i)] = grid.coordinate(voxel)[axis];
    }
    return out;
}

constexpr Index taps = 4;

// Where the four coefficients around a coordinate lie, and their weights.
struct Support {
    Index place[taps];
    double weight[taps];
};

Index mirrored(Index place, Index length) {
    if (length == 1) return 0;
    const Index period = 2 * (length - 1);
    place = ((place % period) + period) % period;
    return place < length ? place : period - place;
}

Support support(double x, Index length) {
    const Index first = static_cast<Index>(std::floor(static_cast<float>(x))) - 1;  // ITK looks for it in single precision
    Support s;
    const double w = x - static_cast<double>(first + 1);
    s.weight[3] = (1.0 / 6.0) * w * w * w;
    s.weight[0] = (1.0 / 6.0) + 0.5 * w * (w - 1.0) - s.weight[3];
    s.weight[2] = w + s.weight[0] - 2.0 * s.weight[3];
    s.weight[1] = 1.0 - s.weight[0] - s.weight[2] - s.weight[3];
    for (Index k = 0; k < taps; ++k) s.place[k] = mirrored(first + k, length);
    return s;
}

// The part of an axis that is read, and the sums wanted along it.
struct Line {
    Index start = 0, length = 0, taps = 0;
    std::vector<Index> places;
    std::vector<double> weights;

    Index outputs() const { return static_cast<Index>(places.size()) / taps; }
    SplineSums sums() const { return {outputs(), taps, places.data(), weights.data()}; }

    // reads `margin` samples beyond the outermost places, where there are so many
    void cut(Index whole, Index margin) {
        const auto [least, most] = std::minmax_element(places.begin(), places.end());
        start = std::max<Index>(*least - margin, 0);
        length = std::min(*most + margin + 1, whole) - start;
        for (Index& place : places) place -= start;
    }
};

Line sums_at(const std::vector<double>& coordinates, Index whole, Index margin) {
    Line line;
    line.taps = taps;
    for (const double x : coordinates) {
        const Support s = support(x, whole);
        line.places.insert(line.places.end(), s.place, s.place + taps);
        line.weights.insert(line.weights.end(), s.weight, s.weight + taps);
    }
    line.cut(whole, margin);
    return line;
}

Line coefficients_at(Index first, Index last, Index whole, Index margin) {
    Line line;
    line.taps = 1;
    for (Index i = first; i <= last; ++i) line.places.push_back(i);
    line.weights.assign(line.places.size(), 1.0);
    line.cut(whole, margin);
    return line;
}

Index padded(Index n, Index lanes) { return (n + lanes - 1) / lanes * lanes; }

// The largest magnitude, so far and of a row; several at a time.
template <class T>
void raise_to(T (&largest)[16], const T* row, Index n) {
    Index i = 0;
    for (; i + 16 <= n; i += 16)
        for (Index l = 0; l < 16; ++l) {
            const T magnitude = std::abs(row[i + l]);
            largest[l] = magnitude > largest[l] ? magnitude : largest[l];
        }
    for (; i < n; ++i) largest[0] = std::max(largest[0], static_cast<T>(std::abs(row[i])));
}

// The passes along x, y and z: coefficients and sums along one axis before the next. The sums along z of `lanes` neighbours along x, as
// many as `wide` has, are handed to `take(y, x, block, largest)` with the largest magnitude read.
template <class T, class V, class Take>
void passes(const V* data, const std::array<Index, 3>& stride, const Line& x, const Line& y, const Line& z, const FilterKernels& kernels,
            const Take& take) {
    const Index lanes = kernels.lanes, rows = padded(y.length, lanes), step = padded(x.length, lanes);
    const Index wide = padded(x.outputs(), lanes), plane = y.outputs() * wide;
    std::vector<T> source(static_cast<std::size_t>(rows * step));  // its margins stay 0
    Buffer<double> between(rows * wide), volume(z.length * plane), scratch(std::max({x.length, y.length, z.length}) * lanes);
    std::fill_n(between.data(), between.size(), 0.0);
    T magnitudes[16] = {};
    for (Index k = 0; k < z.length; ++k) {
        for (Index j = 0; j < y.length; ++j) {
            const V* from = data + (z.start + k) * stride[0] + (y.start + j) * stride[1] + x.start * stride[2];
            T* to = source.data() + j * step;
            if (stride[2] == 1)
                for (Index i = 0; i < x.length; ++i) to[i] = static_cast<T>(from[i]);
            else
                for (Index i = 0; i < x.length; ++i) to[i] = static_cast<T>(from[i * stride[2]]);
            raise_to(magnitudes, to, x.length);
        }
        for (Index j = 0; j < rows; j += lanes)
            if constexpr (std::is_same_v<T, float>)
                kernels.spline_rows32(source.data() + j * step, step, x.length, x.sums(), between.data() + j * wide, wide, scratch.data());
            else
                kernels.spline_rows64(source.data() + j * step, step, x.length, x.sums(), between.data() + j * wide, wide, scratch.data());
        for (Index i = 0; i < wide; i += lanes)
            kernels.spline_columns(between.data() + i, wide, y.length, y.sums(), volume.data() + k * plane + i, wide, scratch.data());
    }
    const double largest = *std::max_element(magnitudes, magnitudes + 16);
    Buffer<double> block(z.outputs() * lanes);
    for (Index j = 0; j < y.outputs(); ++j)
        for (Index i = 0; i < wide; i += lanes) {
            kernels.spline_columns(volume.data() + j * wide + i, plane, z.length, z.sums(), block.data(), lanes, scratch.data());
            take(j, i, block.data(), largest);
        }
}

template <class Take>
void passes_of(const ImageView& image, const Line& x, const Line& y, const Line& z, const FilterKernels& kernels, const Take& take) {
    switch (image.scalar) {
        case Scalar::int16: return passes<float>(static_cast<const std::int16_t*>(image.data), image.stride, x, y, z, kernels, take);
        case Scalar::float32: return passes<float>(static_cast<const float*>(image.data), image.stride, x, y, z, kernels, take);
        case Scalar::int32: return passes<double>(static_cast<const std::int32_t*>(image.data), image.stride, x, y, z, kernels, take);
        case Scalar::float64: break;
    }
    return passes<double>(static_cast<const double*>(image.data), image.stride, x, y, z, kernels, take);
}

bool cast(const FilterKernels& kernels, const double* row, double error, Index n, std::int16_t* out) { return kernels.cast16(row, error, n, out); }
bool cast(const FilterKernels& kernels, const double* row, double error, Index n, std::int32_t* out) { return kernels.cast32(row, error, n, out); }
bool cast(const FilterKernels& kernels, const double* row, double error, Index n, float* out) { return kernels.cast_single(row, error, n, out); }
bool cast(const FilterKernels& kernels, const double* row, double error, Index n, double* out) { return kernels.cast_double(row, error, n, out); }

// Samples beyond the outermost ones used: 0.268 to this power is lost in a double, so the coefficients have the bits of the whole
// image's, or, in the sums that a rounding error does not decide, a relative error of 1e-16.
constexpr Index exact_margin = 31, close_margin = 28;

// Voxels in ITK's order: coefficients of the whole image around them, then one sum of 64 products.
template <class T>
void in_order(const ImageView& image, const ResampleGrid& grid, const FilterKernels& kernels, const std::vector<Voxel>& voxels, T* out) {
    const std::array<Index, 3> length{image.shape[2], image.shape[1], image.shape[0]};
    struct Sum {
        Index at;
        Support axis[3];
    };
    std::vector<Sum> sums;
    for (const Voxel& voxel : voxels) {
        const Point x = grid.coordinate(voxel);
        const Index at = (voxel[2] * grid.size[1] + voxel[1]) * grid.size[0] + voxel[0];
        if (inside(x[0], length[0]) && inside(x[1], length[1]) && inside(x[2], length[2]))
            sums.push_back({at, {support(x[0], length[0]), support(x[1], length[1]), support(x[2], length[2])}});
        else
            out[at] = 0;
    }
    const auto box = [&](std::size_t begin, std::size_t end, Index (&low)[3], Index (&high)[3]) {
        for (int a = 0; a < 3; ++a) {
            low[a] = length[a];
            high[a] = -1;
            for (std::size_t s = begin; s < end; ++s)
                for (const Index place : sums[s].axis[a].place) low[a] = std::min(low[a], place), high[a] = std::max(high[a], place);
        }
    };
    const auto cost = [&](const Index (&low)[3], const Index (&high)[3]) {
        double volume = 1;
        for (int a = 0; a < 3; ++a) volume *= static_cast<double>(std::min(high[a] - low[a] + 1 + 2 * exact_margin, length[a]));
        return volume;
    };
    const auto evaluate = [&](std::size_t begin, std::size_t end) {
        Index low[3], high[3];
        box(begin, end, low, high);
        const Line x = coefficients_at(low[0], high[0], length[0], exact_margin), y = coefficients_at(low[1], high[1], length[1], exact_margin);
        const Line z = coefficients_at(low[2], high[2], length[2], exact_margin);
        const Index width = x.outputs(), plane = y.outputs() * width, depth = z.outputs(), lanes = kernels.lanes;
        Buffer<double> c(depth * plane);
        passes_of(image, x, y, z, kernels, [&](Index j, Index i, const double* block, double) {
            for (Index k = 0; k < depth; ++k) std::copy_n(block + k * lanes, std::min(lanes, width - i), c.data() + k * plane + j * width + i);
        });
        for (std::size_t s = begin; s < end; ++s) {
            const auto& axis = sums[s].axis;
            double value = 0.0;
            for (Index k = 0; k < taps; ++k)
                for (Index j = 0; j < taps; ++j)
                    for (Index i = 0; i < taps; ++i) {
                        const double weight = axis[0].weight[i] * axis[1].weight[j] * axis[2].weight[k];
                        value += weight * c.data()[(axis[2].place[k] - low[2]) * plane + (axis[1].place[j] - low[1]) * width + axis[0].place[i] - low[0]];
                    }
            cast(kernels, &value, 0.0, 1, out + sums[s].at);
        }
    };
    if (sums.empty()) return;
    // together, or each on its own where that reads less of the image
    Index low[3], high[3];
    box(0, sums.size(), low, high);
    const double together = cost(low, high);
    double apart = 0;
    for (std::size_t s = 0; s < sums.size() && apart < together; ++s) {
        box(s, s + 1, low, high);
        apart += cost(low, high);
    }
    if (apart < together)
        for (std::size_t s = 0; s < sums.size(); ++s) evaluate(s, s + 1);
    else
        evaluate(0, sums.size());
}

}  // namespace

std::array<double, 3> ResampleGrid::coordinate(const std::array<Index, 3>& voxel) const {
    const Point first = ends(*this, {0, voxel[1], voxel[2]}), last = ends(*this, {size[0], voxel[1], voxel[2]});
    const double part = static_cast<double>(voxel[0]) / static_cast<double>(size[0]);
    Point out;
    for (int a = 0; a < 3; ++a) out[a] = first[a] + (last[a] - first[a]) * part;
    return out;
}

template <class T>
Buffer<T> resample_cubic(const ImageView& image, const ResampleGrid& grid, const FilterKernels& kernels) {
    const std::array<Index, 3> length{image.shape[2], image.shape[1], image.shape[0]};
    Buffer<T> out(grid.size[0] * grid.size[1] * grid.size[2]);
    const bool parallel = diagonal(grid.to_point) && diagonal(grid.to_index);
    std::vector<double> coordinates[3];
    Index first[3], count[3];
    std::vector<Voxel> uncertain;
    std::vector<char> at_end[3];
    const double slack = parallel ? 0.0 : oblique_slack;
    for (int a = 0; a < 3; ++a) {
        const std::vector<double> all = along(grid, a);
        first[a] = 0;
        while (first[a] < grid.size[a] && !inside(all[static_cast<std::size_t>(first[a])], length[a], slack)) ++first[a];
        Index last = first[a];
        while (last < grid.size[a] && inside(all[static_cast<std::size_t>(last)], length[a], slack)) ++last;
        for (Index i = first[a]; i < last; ++i) at_end[a].push_back(!inside(all[static_cast<std::size_t>(i)], length[a], -slack));
        count[a] = last - first[a];
        if (count[a] < grid.size[a]) std::fill_n(out.data(), out.size(), T(0));
        if (count[a] == 0) return out;
        coordinates[a].assign(all.begin() + first[a], all.begin() + last);
    }
    const Line x = sums_at(coordinates[0], length[0], close_margin), y = sums_at(coordinates[1], length[1], close_margin);
    const Line z = sums_at(coordinates[2], length[2], close_margin);
    passes_of(image, x, y, z, kernels, [&](Index j, Index i, const double* block, double largest) {
        // how far rounding, and on oblique axes the digits in which the coordinates differ, may move a value
        const double error = largest * (parallel ? 2e-15 : 2e-13);
        const Index n = std::min(kernels.lanes, count[0] - i);
        const char* ends = at_end[0].data() + i;
        const bool any_end = at_end[1][static_cast<std::size_t>(j)] || ends[0] || ends[n - 1];
        T* column = out.data() + (first[2] * grid.size[1] + first[1] + j) * grid.size[0] + first[0] + i;
        for (Index k = 0; k < count[2]; ++k, block += kernels.lanes, column += grid.size[0] * grid.size[1]) {
            const bool end = any_end || at_end[2][static_cast<std::size_t>(k)];
            if (!cast(kernels, block, error, n, column) && !end) continue;
            for (Index l = 0; l < n; ++l)
                if (ends[l] || at_end[1][static_cast<std::size_t>(j)] || at_end[2][static_cast<std::size_t>(k)] ||
                    cast(kernels, block + l, error, 1, column + l))
                    uncertain.push_back({first[0] + i + l, first[1] + j, first[2] + k});
        }
    });
    if (!uncertain.empty()) in_order(image, grid, kernels, uncertain, out.data());
    return out;
}

template Buffer<std::int16_t> resample_cubic(const ImageView&, const ResampleGrid&, const FilterKernels&);
template Buffer<std::int32_t> resample_cubic(const ImageView&, const ResampleGrid&, const FilterKernels&);
template Buffer<float> resample_cubic(const ImageView&, const ResampleGrid&, const FilterKernels&);
template Buffer<double> resample_cubic(const ImageView&, const ResampleGrid&, const FilterKernels&);

Buffer<std::uint8_t> resample_nearest(const MaskView& mask, const ResampleGrid& grid) {
    const std::array<Index, 3> length{mask.shape[2], mask.shape[1], mask.shape[0]}, step{mask.stride[2], mask.stride[1], mask.stride[0]};
    const bool parallel = diagonal(grid.to_point) && diagonal(grid.to_index);
    constexpr Index outside = -1;
    std::vector<Index> offset[3];
    const auto nearest = [&](double x, int a) {
        return inside(x, length[a]) ? static_cast<Index>(std::floor(x + 0.5)) * step[a] : outside;
    };
    bool ties = false;
    for (int a = 0; a < 3; ++a)
        for (const double x : along(grid, a)) {
            offset[a].push_back(nearest(x, a));
            ties = ties || std::abs(x + 0.5 - std::round(x + 0.5)) < oblique_slack;
        }
    Buffer<std::uint8_t> out(grid.size[0] * grid.size[1] * grid.size[2]);
    std::uint8_t* to = out.data();
    const Index* x = offset[0].data();
    for (Index k = 0; k < grid.size[2]; ++k)
        for (Index j = 0; j < grid.size[1]; ++j, to += grid.size[0]) {
            const Index y = offset[1][static_cast<std::size_t>(j)], z = offset[2][static_cast<std::size_t>(k)];
            if (!parallel && ties) {
                for (Index i = 0; i < grid.size[0]; ++i) {
                    const Point exact = grid.coordinate({i, j, k});
                    const Index at[3] = {nearest(exact[0], 0), nearest(exact[1], 1), nearest(exact[2], 2)};
                    to[i] = at[0] == outside || at[1] == outside || at[2] == outside ? 0 : mask.data[at[0] + at[1] + at[2]];
                }
                continue;
            }
            if (y == outside || z == outside) {
                std::fill_n(to, grid.size[0], std::uint8_t{0});
                continue;
            }
            const std::uint8_t* row = mask.data + y + z;
            for (Index i = 0; i < grid.size[0]; ++i) to[i] = x[i] == outside ? 0 : row[x[i]];
        }
    return out;
}

}  // namespace isthmus
