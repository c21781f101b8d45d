// The mean of a feature over the directions in which it is a number (numpy.nanmean).
#pragma once

#include <array>
#include <cmath>
#include <limits>

namespace isthmus {

template <std::size_t N>
class MeanOfDirections {
public:
    void add(const std::array<double, N>& values) {
        for (std::size_t i = 0; i < N; ++i)
            if (!std::isnan(values[i])) {
                sum_[i] += values[i];
                count_[i] += 1;
            }
    }
    std::array<double, N> mean() const {
        std::array<double, N> result;
        for (std::size_t i = 0; i < N; ++i)
            result[i] = count_[i] > 0 ? sum_[i] / count_[i] : std::numeric_limits<double>::quiet_NaN();
        return result;
    }

private:
    std::array<double, N> sum_{};
    std::array<double, N> count_{};
};

}  // namespace isthmus
