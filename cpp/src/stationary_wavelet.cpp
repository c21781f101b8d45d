#include "isthmus/stationary_wavelet.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace isthmus {

namespace {

Index wrapped(Index position, Index size) {
    const Index rest = position % size;
    return rest < 0 ? rest + size : rest;
}

// A row of the image continued periodically; `size` counts the sample that an odd row gains.
template <class T, class V>
void read_row(const V* row, Index stride, Index length, Index size, Index from, Index n, T* out) {
    for (Index at = 0; at < n;) {
        const Index position = wrapped(from + at, size);
        if (position >= length) {
            out[at++] = static_cast<T>(row[0]);
            continue;
        }
        const Index count = std::min(n - at, length - position);
        if (stride == 1)
            for (Index i = 0; i < count; ++i) out[at + i] = static_cast<T>(row[position + i]);
        else
            for (Index i = 0; i < count; ++i) out[at + i] = static_cast<T>(row[(position + i) * stride]);
        at += count;
    }
}

}  // namespace

template <class T>
const typename StationaryWavelet<T>::Order& StationaryWavelet<T>::order(int axis, Index position) const {
    // how many taps read beyond the high end: they come first and in reverse
    const Index beyond = wrapped(position, size_[axis]) + after_[axis] - size_[axis] + 1;
    return orders_[axis][static_cast<std::size_t>(std::max<Index>(beyond, 0))];
}

template <class T>
void StationaryWavelet<T>::pass(const std::vector<const T*>& rows, const Order& order, T* low, T* high, Index n) const {
    const Index count = static_cast<Index>(rows.size());
    if constexpr (std::is_same_v<T, float>)
        kernels_.weigh32(rows.data(), count, order.low.data(), low, order.high.data(), high, n);
    else
        kernels_.weigh64(rows.data(), count, order.low.data(), low, order.high.data(), high, n);
}

template <class T>
StationaryWavelet<T>::StationaryWavelet(const ImageView& image, const WaveletTaps& taps, const std::array<Index, 3>& low,
                                        const std::array<Index, 3>& high, int level, const FilterKernels& kernels)
    : low_(low), kernels_(kernels) {
    const Index length = static_cast<Index>(taps.low.size());
    for (int a = 0; a < 3; ++a) {
        shape_[a] = high[a] - low[a];
        size_[a] = image.shape[a] + image.shape[a] % 2;
        after_[a] = taps.axes[a] ? length / 2 : 0;
        before_[a] = taps.axes[a] ? length - 1 - length / 2 : 0;
        if (!taps.axes[a]) {
            orders_[a] = {Order{{0}, {T(1)}, {T(1)}}, Order{{0}, {T(1)}, {T(1)}}};
            continue;
        }
        for (Index beyond = 0; beyond <= length / 2; ++beyond) {
            Order one;
            for (Index k = 0; k < length; ++k) {
                const Index j = k < beyond ? beyond - 1 - k : k;
                one.shift.push_back(length - 1 - j);  // from the first sample needed
                one.low.push_back(static_cast<T>(taps.low[static_cast<std::size_t>(j)]));
                one.high.push_back(static_cast<T>(taps.high[static_cast<std::size_t>(j)]));
            }
            orders_[a].push_back(std::move(one));
        }
    }
    if (level > 0) {  // the approximation of the level before, wherever this one reads it
        std::array<Index, 3> from, to;
        for (int a = 0; a < 3; ++a) from[a] = low[a] - before_[a], to[a] = high[a] + after_[a];
        const StationaryWavelet<T> coarser(image, taps, from, to, level - 1, kernels);
        const Buffer<T> input = std::move(coarser.bands({0, 0}, false)[0]);
        const Index width = to[2] - from[2], plane = (to[1] - from[1]) * width;
        prepare([&](Index k, Index j, T* out) { std::copy_n(input.data() + (k - from[0]) * plane + (j - from[1]) * width, width, out); });
        return;
    }
    const auto read = [&](auto* data) {
        prepare([&](Index k, Index j, T* out) {
            const Index kk = wrapped(k, size_[0]), jj = wrapped(j, size_[1]);
            const auto* row = data + (kk < image.shape[0] ? kk : 0) * image.stride[0] + (jj < image.shape[1] ? jj : 0) * image.stride[1];
            read_row(row, image.stride[2], image.shape[2], size_[2], low_[2] - before_[2], shape_[2] + before_[2] + after_[2], out);
        });
    };
    switch (image.scalar) {
        case Scalar::int16: read(static_cast<const std::int16_t*>(image.data)); break;
        case Scalar::int32: read(static_cast<const std::int32_t*>(image.data)); break;
        case Scalar::float32: read(static_cast<const float*>(image.data)); break;
        case Scalar::float64: read(static_cast<const double*>(image.data)); break;
    }
}

template <class T>
template <class Fetch>
void StationaryWavelet<T>::prepare(const Fetch& fetch) {
    const Index width = shape_[2], wide = width + before_[2] + after_[2];
    const Index rows = shape_[1] + before_[1] + after_[1], planes = shape_[0] + before_[0] + after_[0];
    const bool along_i = before_[2] + after_[2] > 0, along_j = before_[1] + after_[1] > 0;
    const Index plane = shape_[1] * width;
    for (int v = 0; v < 4; ++v)
        if ((along_i || v < 2) && (along_j || v % 2 == 0)) volumes_[static_cast<std::size_t>(v)] = Buffer<T>(planes * plane);
    Buffer<T> row(wide), low(rows * width), high(along_i ? rows * width : 0);
    std::vector<const T*> taken;
    for (Index k = 0; k < planes; ++k) {
        for (Index j = 0; j < rows; ++j) {
            fetch(low_[0] - before_[0] + k, low_[1] - before_[1] + j, row.data());
            for (Index i = 0; i < width;) {
                const Order& sum = order(2, low_[2] + i);
                // outputs whose samples do not pass the high end are one call, each of the others is its own
                const Index before_end = size_[2] - after_[2] - wrapped(low_[2] + i, size_[2]);
                const Index n = std::clamp<Index>(before_end, 1, width - i);
                taken.clear();
                for (const Index shift : sum.shift) taken.push_back(row.data() + i + shift);
                pass(taken, sum, low.data() + j * width + i, along_i ? high.data() + j * width + i : nullptr, n);
                i += n;
            }
        }
        for (int side = 0; side < (along_i ? 2 : 1); ++side) {
            Buffer<T>& from = side == 0 ? low : high;
            for (Index j = 0; j < shape_[1];) {
                const Order& sum = order(1, low_[1] + j);
                // rows lie one behind the other: those summed in one order are one call
                const Index n = std::clamp<Index>(size_[1] - after_[1] - wrapped(low_[1] + j, size_[1]), 1, shape_[1] - j);
                taken.clear();
                for (const Index shift : sum.shift) taken.push_back(from.data() + (j + shift) * width);
                T* to_low = volumes_[static_cast<std::size_t>(2 * side)].data() + k * plane + j * width;
                T* to_high = along_j ? volumes_[static_cast<std::size_t>(2 * side + 1)].data() + k * plane + j * width : nullptr;
                pass(taken, sum, to_low, to_high, n * width);
                j += n;
            }
        }
    }
}

template <class T>
std::array<Buffer<T>, 2> StationaryWavelet<T>::bands(const std::array<int, 2>& filters, bool high) const {
    const Buffer<T>& from = volumes_[static_cast<std::size_t>(2 * filters[0] + filters[1])];
    const Index plane = shape_[1] * shape_[2];
    std::array<Buffer<T>, 2> out{Buffer<T>(shape_[0] * plane)};
    if (high && before_[0] + after_[0] > 0) out[1] = Buffer<T>(shape_[0] * plane);
    std::vector<const T*> taken;
    for (Index k = 0; k < shape_[0]; ++k) {
        const Order& sum = order(0, low_[0] + k);
        taken.clear();
        for (const Index shift : sum.shift) taken.push_back(from.data() + (k + shift) * plane);
        pass(taken, sum, out[0].data() + k * plane, out[1].size() > 0 ? out[1].data() + k * plane : nullptr, plane);
    }
    return out;
}

template class StationaryWavelet<float>;
template class StationaryWavelet<double>;

}  // namespace isthmus
