// A quotient that has no value when its denominator is 0.
#pragma once

#include <limits>

namespace isthmus {

inline double ratio(double numerator, double denominator) {
    return denominator == 0 ? std::numeric_limits<double>::quiet_NaN() : numerator / denominator;
}

}  // namespace isthmus
