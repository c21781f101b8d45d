// k-means.
#include "arrays.hpp"
#include "isthmus/kmeans.hpp"
#include "rooms.hpp"

namespace isthmus::bindings {

using Points = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

void bind_kmeans(nb::module_& m) {
    m.def("kmeans",
          [](const Points& points, Index clusters, int starts, int iterations, std::uint64_t seed) {
              KMeans found;
              const Index n = static_cast<Index>(points.shape(0)), dimensions = static_cast<Index>(points.shape(1));
              {
                  nb::gil_scoped_release no_gil;
                  found = kmeans(points.data(), n, dimensions, clusters, starts, iterations, seed);
              }
              return nb::make_tuple(vector(std::move(found.cluster)), vector(std::move(found.centres)).attr("reshape")(clusters, dimensions),
                                    found.inertia);
          },
          "points"_a.noconvert(), "clusters"_a, "starts"_a, "iterations"_a, "seed"_a,
          "(cluster of each point, centres, inertia): the best of several starts.");
}

}  // namespace isthmus::bindings
