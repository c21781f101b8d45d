// Nuclei: basins of a relief, features of labels.
#include "arrays.hpp"
#include "isthmus/basins.hpp"
#include "isthmus/nuclei.hpp"
#include "rooms.hpp"

namespace isthmus::bindings {

template <class Value>
using Plane = nb::ndarray<const Value, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

template <class A, class B>
void same_shape(const A& a, const B& b) {
    if (a.shape(0) != b.shape(0) || a.shape(1) != b.shape(1)) throw std::invalid_argument("arrays of one picture must have one shape");
}

template <class A>
std::array<Index, 2> shape_of(const A& a) {
    return {static_cast<Index>(a.shape(0)), static_cast<Index>(a.shape(1))};
}

void bind_pathology(nb::module_& m) {
    m.def("basins",
          [](const Plane<float>& relief, const Plane<bool>& mask, double absolute, double relative) {
              same_shape(relief, mask);
              std::vector<std::int32_t> labels;
              {
                  nb::gil_scoped_release no_gil;
                  labels = basins(relief.data(), reinterpret_cast<const std::uint8_t*>(mask.data()), shape_of(relief), {absolute, relative});
              }
              return vector(std::move(labels)).attr("reshape")(relief.shape(0), relief.shape(1));
          },
          "relief"_a.noconvert(), "mask"_a.noconvert(), "absolute"_a = 0.0, "relative"_a = 0.0,
          "Labels 1 ... n of the relief's basins; one is joined to a higher one where its summit rises less than absolute + relative * "
          "summit above the pass between them.");
    m.def("nuclear_features",
          [](const Plane<std::int32_t>& labels, Index count, const Plane<std::uint8_t>& intensity, const Plane<double>& density, double mpp,
             unsigned workers) {
              same_shape(labels, intensity);
              same_shape(labels, density);
              std::vector<NucleusRow> rows;
              {
                  nb::gil_scoped_release no_gil;
                  rows = nuclear_features({labels.data(), intensity.data(), density.data(), shape_of(labels), mpp}, count, workers);
              }
              return matrix(rows);
          },
          "labels"_a.noconvert(), "count"_a, "intensity"_a.noconvert(), "density"_a.noconvert(), "mpp"_a, "workers"_a = 1,
          "One row of 28 features a label from 1 to `count`.");
}

}  // namespace isthmus::bindings
