// Arrays as the core sees them: a pointer, a shape, strides in elements. Axis order (k, j, i) everywhere.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace isthmus {

using Index = std::ptrdiff_t;

enum class Scalar { int16, int32, float32, float64 };

struct MaskView {
    const std::uint8_t* data;
    std::array<Index, 3> shape;
    std::array<Index, 3> stride;  // bytes; stride[2] is 1
};

struct ImageView {
    const void* data;
    Scalar scalar;
    std::array<Index, 3> shape;
    std::array<Index, 3> stride;  // elements; any stride along every axis
};

}  // namespace isthmus
