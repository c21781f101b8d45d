// Supervoxels.
#include "arrays.hpp"
#include "isthmus/supervoxels.hpp"
#include "rooms.hpp"

namespace isthmus::bindings {

using ValueBox = nb::ndarray<const double, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using MaskBox = nb::ndarray<const bool, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

void bind_supervoxels(nb::module_& m) {
    nb::enum_<SupervoxelMethod>(m, "SupervoxelMethod")
        .value("slic", SupervoxelMethod::slic)
        .value("kmeans", SupervoxelMethod::kmeans)
        .value("growing", SupervoxelMethod::growing);
    m.def("supervoxels",
          [](const ValueBox& values, const MaskBox& mask, std::array<double, 3> spacing, double volume, double compactness, int iterations,
             SupervoxelMethod method, Index least) {
              for (std::size_t a = 0; a < 3; ++a)
                  if (values.shape(a) != mask.shape(a)) throw std::invalid_argument("values and mask have different shapes");
              const std::array<Index, 3> shape{static_cast<Index>(values.shape(0)), static_cast<Index>(values.shape(1)),
                                               static_cast<Index>(values.shape(2))};
              auto owned = std::make_unique<std::vector<std::int32_t>>();
              {
                  nb::gil_scoped_release no_gil;
                  *owned = supervoxels(values.data(), reinterpret_cast<const std::uint8_t*>(mask.data()), shape, spacing,
                                       {volume, compactness, iterations, method, least});
              }
              std::int32_t* data = owned->data();
              nb::capsule owner(owned.release(), [](void* p) noexcept { delete static_cast<std::vector<std::int32_t>*>(p); });
              return nb::cast(nb::ndarray<nb::numpy, std::int32_t>(data, {values.shape(0), values.shape(1), values.shape(2)}, owner));
          },
          "values"_a.noconvert(), "mask"_a.noconvert(), "spacing"_a, "volume"_a, "compactness"_a, "iterations"_a = 10,
          "method"_a = SupervoxelMethod::slic, "least"_a = 1, "Labels 1 ... n of the voxels inside the mask (0 outside), each one connected piece of about `volume` mm3.");
    m.def("contacts",
          [](const nb::ndarray<const std::int32_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>& labels) {
              std::vector<std::array<std::int64_t, 3>> rows;
              {
                  nb::gil_scoped_release no_gil;
                  rows = contacts(labels.data(), {static_cast<Index>(labels.shape(0)), static_cast<Index>(labels.shape(1)), static_cast<Index>(labels.shape(2))});
              }
              std::vector<std::int64_t> flat;
              for (const auto& row : rows) flat.insert(flat.end(), row.begin(), row.end());
              return vector(std::move(flat)).attr("reshape")(rows.size(), 3);
          },
          "labels"_a.noconvert(), "Rows (label, larger label, shared faces) of labels that touch by a face, edge or corner.");
}

}  // namespace isthmus::bindings
