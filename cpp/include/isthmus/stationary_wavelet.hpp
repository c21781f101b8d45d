// Undecimated separable wavelet transform with periodic continuation, as PyWavelets' swtn computes one level: every voxel has the
// same bits. Along an axis of N samples (an odd N counts one sample more, the first again)
//     out[o] = sum over j = 0 .. F - 1 of taps[j] * in[(o + F/2 - j) mod N],
// added up in this order; at the high end the taps of samples beyond it come first and in reverse.
// Several levels repeat the transform of the approximation with the same taps.
#pragma once

#include <array>
#include <vector>

#include "isthmus/buffer.hpp"
#include "isthmus/filter_kernels.hpp"
#include "isthmus/view.hpp"

namespace isthmus {

struct WaveletTaps {
    std::vector<double> low, high;  // of one even length; for float32 images the single-precision taps
    std::array<bool, 3> axes;  // k, j, i: whether this axis is transformed
};

// The transform along i and j of a box [low, high) of the image; `bands` does the last axis.
template <class T>
class StationaryWavelet {
public:
    StationaryWavelet(const ImageView& image, const WaveletTaps& taps, const std::array<Index, 3>& low, const std::array<Index, 3>& high,
                      int level, const FilterKernels& kernels);

    // The two bands of these filters along i and j, 0 low and 1 high (0 for an axis that is not transformed): low and high along k,
    // made in one reading. The second is empty where k is not transformed, or not wanted.
    std::array<Buffer<T>, 2> bands(const std::array<int, 2>& filters, bool high = true) const;
    const std::array<Index, 3>& shape() const { return shape_; }

private:
    struct Order {
        std::vector<Index> shift;  // of the sample, and its tap, in the order of the sum
        std::vector<T> low, high;
    };
    const Order& order(int axis, Index position) const;
    void pass(const std::vector<const T*>& rows, const Order& order, T* low, T* high, Index n) const;
    template <class Fetch>
    void prepare(const Fetch& fetch);

    std::array<Index, 3> low_, shape_, size_, before_, after_;  // box; padded size of the image; samples needed around the box
    std::array<std::vector<Order>, 3> orders_;
    std::array<Buffer<T>, 4> volumes_;  // i, j filters: low low, low high, high low, high high
    const FilterKernels& kernels_;
};

extern template class StationaryWavelet<float>;
extern template class StationaryWavelet<double>;

}  // namespace isthmus
