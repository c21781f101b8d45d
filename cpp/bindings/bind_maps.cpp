// Voxel maps and many regions at once.
#include <algorithm>

#include "arrays.hpp"
#include "isthmus/label_features.hpp"
#include "isthmus/voxel_maps.hpp"
#include "rooms.hpp"

namespace isthmus::bindings {

using MapArray = nb::ndarray<double, nb::ndim<4>, nb::c_contig, nb::device::cpu>;
using PlaceArray = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

using LabelArray = nb::ndarray<const std::int32_t, nb::ndim<3>, nb::device::cpu>;

LabelView label_view(const LabelArray& a) {
    if (a.stride(2) != 1 && a.shape(2) > 1) throw std::invalid_argument("the last axis of a label map must be contiguous");
    return {a.data(),
            {static_cast<Index>(a.shape(0)), static_cast<Index>(a.shape(1)), static_cast<Index>(a.shape(2))},
            {static_cast<Index>(a.stride(0)), static_cast<Index>(a.stride(1)), 1}};
}

void check_maps(const MaskView& targets, const PlaceArray& places, const MapArray& out) {
    bool fits = out.shape(0) == places.shape(0);
    for (std::size_t axis = 0; axis < 3; ++axis) fits = fits && static_cast<Index>(out.shape(axis + 1)) == targets.shape[axis];
    if (!fits) throw std::invalid_argument("out must have the shape (number of places, shape of the targets)");
    for (std::size_t m = 0; m < places.shape(0); ++m)
        if (places.data()[m] < 0 || places.data()[m] >= static_cast<std::int64_t>(window_features))
            throw std::invalid_argument("place " + std::to_string(places.data()[m]) + " lies outside 0 to " + std::to_string(window_features - 1));
}

void bind_maps(nb::module_& m) {
    m.def("voxel_maps",
          [](const MaskArray& targets, const MaskArray& kernel_mask, const ImageArray& image, std::array<double, 3> spacing,
             const EdgeArray& edges, Index radius, int flat_axis, unsigned families, const PlaceArray& places, const MapArray& out,
             double shift, double tolerance, unsigned workers, const std::string& instructions) {
              const MaskView target_view = mask_view(targets), kernel_view = mask_view(kernel_mask);
              const ImageView image_ = image_view(image);
              const Kernels& set = chosen(instructions);
              check_maps(target_view, places, out);
              nb::gil_scoped_release no_gil;
              const std::vector<Index> where(places.data(), places.data() + places.shape(0));
              WindowRules rules{.families = families, .shift = shift, .tolerance = tolerance};
              rules.mcc = std::find(where.begin(), where.end(), glcm_mcc_place) != where.end();
              voxel_maps(target_view, kernel_view, image_, spacing, {edges.data(), edges.shape(0)}, {radius, flat_axis}, rules, where,
                         out.data(), workers, set);
          },
          "targets"_a.noconvert(), "kernel_mask"_a.noconvert(), "image"_a.noconvert(), "spacing"_a, "edges"_a.noconvert(), "radius"_a,
          "flat_axis"_a, "families"_a, "places"_a.noconvert(), "out"_a.noconvert(), "shift"_a = 0.0, "tolerance"_a = 0.0, "workers"_a = 1,
          "instructions"_a = "best",
          "Writes feature maps into `out`, shape (maps, k, j, i), at the target voxels. Bit n of `families`: the n-th of family_names()\n"
          "after shape; `places`: of each map's feature among all features of these families, wanted or not.");

    nb::class_<LabelledRegion>(m, "LabelledRegion", "One label of a label map: its voxels, box and range of intensities.")
        .def_ro("label", &LabelledRegion::label)
        .def_ro("voxels", &LabelledRegion::voxels)
        .def_ro("not_finite", &LabelledRegion::not_finite)
        .def_ro("low", &LabelledRegion::low)
        .def_ro("high", &LabelledRegion::high)
        .def_ro("minimum", &LabelledRegion::minimum)
        .def_ro("maximum", &LabelledRegion::maximum);

    m.def("labelled_regions",
          [](const LabelArray& labels, const ImageArray& image) {
              const LabelView label_map = label_view(labels);
              const ImageView view = image_view(image);
              nb::gil_scoped_release no_gil;
              return labelled_regions(label_map, view);
          },
          "labels"_a.noconvert(), "image"_a.noconvert(), "Every label but 0, ascending, found in one sweep.");

    m.def("label_features",
          [](const LabelArray& labels, const ImageArray& image, std::array<double, 3> spacing, const std::vector<LabelledRegion>& regions,
             const EdgeArray& edges, const PlaceArray& ends, unsigned families, unsigned workers, const std::string& instructions) {
              const LabelView label_map = label_view(labels);
              const ImageView view = image_view(image);
              const Kernels& set = chosen(instructions);
              LabelFeatures found;
              {
                  nb::gil_scoped_release no_gil;
                  found = label_features(label_map, view, spacing, regions, {edges.data(), edges.shape(0)}, {ends.data(), ends.shape(0)}, families, workers, set);
              }
              return nb::make_tuple(vector(std::move(found.values)), found.failures);
          },
          "labels"_a.noconvert(), "image"_a.noconvert(), "spacing"_a, "regions"_a, "edges"_a.noconvert(), "ends"_a.noconvert(), "families"_a, "workers"_a = 1,
          "instructions"_a = "best",
          "(values, failures): the families whose bits are set (as in `features`), a row after the other for every region, each with its\n"
          "own edges, those up to its end; a region without edges is left out, as NaN.");
}

}  // namespace isthmus::bindings
