// Interpolation on another grid.
#include "arrays.hpp"
#include "isthmus/resample.hpp"
#include "rooms.hpp"

namespace isthmus::bindings {

namespace {

template <class T>
nb::object cubic(const ImageView& view, const ResampleGrid& grid, const FilterKernels& set) {
    Buffer<T> values;
    {
        nb::gil_scoped_release no_gil;
        values = resample_cubic<T>(view, grid, set);
    }
    return volume(std::move(values), {grid.size[2], grid.size[1], grid.size[0]});
}

}  // namespace

void bind_resample(nb::module_& m) {
    nb::class_<ResampleGrid>(m, "ResampleGrid", "A new grid and the old one's geometry, in ITK's order x, y, z. Immutable.")
        .def("__init__",
             [](ResampleGrid* self, std::array<Index, 3> size, std::array<double, 3> new_origin, std::array<double, 3> old_origin,
                std::array<double, 9> to_point, std::array<double, 9> to_index) {
                 for (const Index n : size)
                     if (n < 1) throw std::invalid_argument("every axis of the new grid needs a voxel");
                 new (self) ResampleGrid{size, new_origin, old_origin, to_point, to_index};
             },
             "size"_a, "new_origin"_a, "old_origin"_a, "to_point"_a, "to_index"_a);

    m.def("resample_cubic",
          [](const ImageArray& image, const ResampleGrid& grid, const std::string& instructions) {
              const ImageView view = image_view(image);
              for (const Index length : view.shape)
                  if (length < 1) throw std::invalid_argument("the image has no voxel");
              const FilterKernels& set = chosen_filters(instructions);
              switch (view.scalar) {
                  case Scalar::int16: return cubic<std::int16_t>(view, grid, set);
                  case Scalar::int32: return cubic<std::int32_t>(view, grid, set);
                  case Scalar::float32: return cubic<float>(view, grid, set);
                  case Scalar::float64: break;
              }
              return cubic<double>(view, grid, set);
          },
          "image"_a.noconvert(), "grid"_a, "instructions"_a = "best", "The image on the new grid by cubic B-splines; 0 outside it.");

    m.def("resample_nearest",
          [](const MaskArray& mask, const ResampleGrid& grid) {
              const MaskView view = mask_view(mask);
              Buffer<std::uint8_t> values;
              {
                  nb::gil_scoped_release no_gil;
                  values = resample_nearest(view, grid);
              }
              return volume(std::move(values), {grid.size[2], grid.size[1], grid.size[0]});
          },
          "mask"_a.noconvert(), "grid"_a, "The mask (0 and 1) on the new grid, each voxel the nearest one's; 0 outside it.");
}

}  // namespace isthmus::bindings
