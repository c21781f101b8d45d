// Linear maps along an axis: separable convolutions.
#include "arrays.hpp"
#include "isthmus/lines.hpp"
#include "rooms.hpp"

namespace isthmus::bindings {

namespace {

using Volume = nb::ndarray<const double, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using Indices = nb::ndarray<const std::int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Weights = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

nb::object map_along(const Volume& values, int axis, const Indices& starts, const Indices& columns, const Weights& weights) {
    if (axis < 0 || axis > 2) throw std::invalid_argument("axis must be 0, 1 or 2");
    const LineMap map{{starts.data(), starts.size()}, {columns.data(), columns.size()}, {weights.data(), weights.size()}};
    std::array<Index, 3> shape{static_cast<Index>(values.shape(0)), static_cast<Index>(values.shape(1)),
                               static_cast<Index>(values.shape(2))};
    check(map, shape[static_cast<std::size_t>(axis)]);
    std::array<std::size_t, 3> wanted{values.shape(0), values.shape(1), values.shape(2)};
    wanted[static_cast<std::size_t>(axis)] = starts.size() - 1;
    auto out = std::make_unique_for_overwrite<double[]>(std::max<std::size_t>(wanted[0] * wanted[1] * wanted[2], 1));
    {
        nb::gil_scoped_release no_gil;
        map_lines(values.data(), shape, axis, map, out.get());
    }
    double* data = out.get();
    nb::capsule owner(out.release(), [](void* p) noexcept { delete[] static_cast<double*>(p); });
    return nb::cast(nb::ndarray<nb::numpy, double>(data, {wanted[0], wanted[1], wanted[2]}, owner));
}

}  // namespace

void bind_convolution(nb::module_& m) {
    m.def("map_lines", &map_along, "values"_a.noconvert(), "axis"_a, "starts"_a.noconvert(), "columns"_a.noconvert(),
          "weights"_a.noconvert());
}

}  // namespace isthmus::bindings
