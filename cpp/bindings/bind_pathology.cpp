// Nuclei: basins of a relief, features of labels.
#include "arrays.hpp"
#include "isthmus/basins.hpp"
#include "isthmus/local_means.hpp"
#include "isthmus/nuclei.hpp"
#include "isthmus/nucleus_candidates.hpp"
#include "isthmus/plane.hpp"
#include "rooms.hpp"

namespace isthmus::bindings {

template <class Value>
using Plane = nb::ndarray<const Value, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

template <class Value>
using List = nb::ndarray<const Value, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

template <class Value>
std::vector<Value> copied(const List<Value>& list) {
    return {list.data(), list.data() + list.size()};
}

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
    m.def("distance_to_outside",
          [](const Plane<bool>& mask) {
              std::vector<float> distance;
              {
                  nb::gil_scoped_release no_gil;
                  const auto* first = reinterpret_cast<const std::uint8_t*>(mask.data());
                  distance = distance_to_outside(Bytes(first, first + mask.size()), shape_of(mask));
              }
              return vector(std::move(distance)).attr("reshape")(mask.shape(0), mask.shape(1));
          },
          "mask"_a.noconvert(), "Distance of every pixel of the mask to the nearest one outside it, in pixels.");
    m.def("between_means",
          [](const Plane<float>& values, double threshold, double dark, double pale, Index width, Index turns) {
              std::vector<float> relative;
              {
                  nb::gil_scoped_release no_gil;
                  relative = between_means(values.data(), shape_of(values), {threshold, dark, pale}, width, turns);
              }
              return vector(std::move(relative)).attr("reshape")(values.shape(0), values.shape(1));
          },
          "values"_a.noconvert(), "threshold"_a, "dark"_a, "pale"_a, "width"_a, "turns"_a,
          "Every pixel between the local mean of what is pale (0) and of what is dark (1).");
    m.def("nucleus_candidates",
          [](const Plane<float>& density, const Plane<float>& relative, std::vector<double> levels, std::vector<double> rises, double radius, double contrast,
             Index opening, double smoothing, double least_area, double most_area) {
              same_shape(density, relative);
              Candidates found;
              {
                  nb::gil_scoped_release no_gil;
                  found = nucleus_candidates(density.data(), relative.data(), shape_of(density),
                                             {std::move(levels), std::move(rises), radius, contrast, opening, smoothing, least_area, most_area});
              }
              return nb::make_tuple(matrix(found.evidence), vector(std::move(found.pixels)), vector(std::move(found.starts)));
          },
          "density"_a.noconvert(), "relative"_a.noconvert(), "levels"_a, "rises"_a, "radius"_a, "contrast"_a, "opening"_a, "smoothing"_a, "least_area"_a,
          "most_area"_a, "Regions that may be nuclei: what speaks for each (one row each), their pixels one after the other, and where each begins.");
    m.def("choose_candidates",
          [](const List<std::int32_t>& pixels, const List<std::int64_t>& starts, const List<double>& scores, const std::array<Index, 2>& shape,
             double least_score, double most_shared) {
              if (starts.shape(0) != scores.shape(0) + 1) throw std::invalid_argument("one score a candidate");
              std::vector<std::int32_t> labels;
              {
                  nb::gil_scoped_release no_gil;
                  labels = choose_candidates({{}, copied(pixels), copied(starts)}, copied(scores), shape, least_score, most_shared);
              }
              return vector(std::move(labels)).attr("reshape")(shape[0], shape[1]);
          },
          "pixels"_a.noconvert(), "starts"_a.noconvert(), "scores"_a.noconvert(), "shape"_a, "least_score"_a, "most_shared"_a,
          "Labels of the best candidates that share little.");
    m.def("grow_labels",
          [](const Plane<std::int32_t>& labels, const Plane<bool>& room, Index steps) {
              same_shape(labels, room);
              std::vector<std::int32_t> grown(labels.data(), labels.data() + labels.size());
              {
                  nb::gil_scoped_release no_gil;
                  const auto* first = reinterpret_cast<const std::uint8_t*>(room.data());
                  grow(grown, Bytes(first, first + room.size()), shape_of(labels), steps);
              }
              return vector(std::move(grown)).attr("reshape")(labels.shape(0), labels.shape(1));
          },
          "labels"_a.noconvert(), "room"_a.noconvert(), "steps"_a, "Labels take what they reach first of `room`, at most so many steps away.");
    m.def("majority_labels",
          [](const Plane<std::int32_t>& labels, Index radius) {
              std::vector<std::int32_t> smooth;
              {
                  nb::gil_scoped_release no_gil;
                  smooth = majority({labels.data(), labels.data() + labels.size()}, shape_of(labels), radius);
              }
              return vector(std::move(smooth)).attr("reshape")(labels.shape(0), labels.shape(1));
          },
          "labels"_a.noconvert(), "radius"_a, "The label of more than half of the disc around every pixel, or 0.");
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
