// Conversions between NumPy arrays and the core's views. Nothing here computes.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "isthmus/buffer.hpp"
#include "isthmus/filter_kernels.hpp"
#include "isthmus/kernels.hpp"
#include "isthmus/view.hpp"

namespace isthmus::bindings {

namespace nb = nanobind;
using namespace nb::literals;

using MaskArray = nb::ndarray<const bool, nb::ndim<3>, nb::device::cpu>;
using ImageArray = nb::ndarray<nb::ro, nb::ndim<3>, nb::device::cpu>;
using EdgeArray = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

inline MaskView mask_view(const MaskArray& a) {
    if (a.stride(2) != 1 && a.shape(2) > 1) throw std::invalid_argument("the last axis of a mask must be contiguous");
    return {reinterpret_cast<const std::uint8_t*>(a.data()),
            {static_cast<Index>(a.shape(0)), static_cast<Index>(a.shape(1)), static_cast<Index>(a.shape(2))},
            {static_cast<Index>(a.stride(0)), static_cast<Index>(a.stride(1)), 1}};
}

inline ImageView image_view(const ImageArray& a) {
    Scalar scalar;
    if (a.dtype() == nb::dtype<std::int16_t>())
        scalar = Scalar::int16;
    else if (a.dtype() == nb::dtype<std::int32_t>())
        scalar = Scalar::int32;
    else if (a.dtype() == nb::dtype<float>())
        scalar = Scalar::float32;
    else if (a.dtype() == nb::dtype<double>())
        scalar = Scalar::float64;
    else
        throw nb::type_error("image values must be int16, int32, float32 or float64");
    return {a.data(),
            scalar,
            {static_cast<Index>(a.shape(0)), static_cast<Index>(a.shape(1)), static_cast<Index>(a.shape(2))},
            {static_cast<Index>(a.stride(0)), static_cast<Index>(a.stride(1)), static_cast<Index>(a.stride(2))}};
}

inline const Kernels& chosen(const std::string& name) {
    const Kernels* set = kernels(name.c_str());
    if (set == nullptr) throw std::invalid_argument("instruction set '" + name + "' is not available on this machine");
    return *set;
}

inline const FilterKernels& chosen_filters(const std::string& name) {
    const FilterKernels* set = filter_kernels(name.c_str());
    if (set == nullptr) throw std::invalid_argument("instruction set '" + name + "' is not available on this machine");
    return *set;
}

template <class T>
nb::object volume(Buffer<T>&& values, const std::array<Index, 3>& shape) {
    T* data = values.data();
    nb::capsule owner(values.release().release(), [](void* p) noexcept { typename Buffer<T>::Delete{}(static_cast<T*>(p)); });
    return nb::cast(nb::ndarray<nb::numpy, T>(
        data, {static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(shape[1]), static_cast<std::size_t>(shape[2])}, owner));
}

template <class Rows>
nb::object matrix(const Rows& rows) {
    constexpr std::size_t columns = std::tuple_size_v<typename Rows::value_type>;
    auto owned = std::make_unique<Rows>(rows);
    double* data = owned->empty() ? nullptr : owned->front().data();
    const std::size_t n = owned->size();
    nb::capsule owner(owned.release(), [](void* p) noexcept { delete static_cast<Rows*>(p); });
    return nb::cast(nb::ndarray<nb::numpy, double>(data, {n, columns}, owner));
}

template <class Value>
nb::object vector(std::vector<Value>&& values) {
    auto owned = std::make_unique<std::vector<Value>>(std::move(values));
    Value* data = owned->data();
    const std::size_t n = owned->size();
    nb::capsule owner(owned.release(), [](void* p) noexcept { delete static_cast<std::vector<Value>*>(p); });
    return nb::cast(nb::ndarray<nb::numpy, Value>(data, {n}, owner));
}

}  // namespace isthmus::bindings
