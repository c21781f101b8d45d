// Regions, samples and the features of the fast path.
#include "arrays.hpp"
#include "isthmus/engine.hpp"
#include "isthmus/features/shape.hpp"
#include "isthmus/parts.hpp"
#include "isthmus/texture.hpp"
#include "rooms.hpp"

namespace isthmus::bindings {

void bind_features(nb::module_& m) {
    nb::class_<Workspace>(m, "Workspace", "Scratch memory of one thread; grows and is used again.").def(nb::init<>());

    nb::class_<Region>(m, "Region", "A mask box made ready: x-runs and neighbour counts. Immutable.")
        .def("__init__",
             [](Region* self, const MaskArray& mask, std::array<double, 3> spacing) {
                 const MaskView view = mask_view(mask);
                 nb::gil_scoped_release no_gil;
                 new (self) Region(view, spacing);
             },
             "mask"_a.noconvert(), "spacing"_a)
        .def_prop_ro("size", [](const Region& r) { return r.size; });

    nb::class_<Sample>(m, "Sample", "The intensities of an image box inside a region. Immutable.")
        .def("__init__",
             [](Sample* self, const Region& region, const ImageArray& image) {
                 const ImageView view = image_view(image);
                 nb::gil_scoped_release no_gil;
                 new (self) Sample(region, view);
             },
             "region"_a, "image"_a.noconvert())
        .def_prop_ro("values",
                     [](const Sample& s) {
                         return s.single ? vector(std::vector<float>(s.f32)) : vector(std::vector<double>(s.f64));
                     },
                     "Intensities in memory order: float32 where that is exact, else float64.")
        .def_prop_ro("minimum", [](const Sample& s) { return s.minimum; })
        .def_prop_ro("maximum", [](const Sample& s) { return s.maximum; })
        .def_prop_ro("not_finite", [](const Sample& s) { return s.not_finite; });

    m.def("bounding_box",
          [](const MaskArray& mask) {
              const MaskView view = mask_view(mask);
              BoundingBox box;
              {
                  nb::gil_scoped_release no_gil;
                  box = bounding_box(view);
              }
              return nb::make_tuple(box.low, box.high, box.found);
          },
          "mask"_a.noconvert(), "(low, high, found): the box of a mask, high exclusive; found is False for an empty mask.");

    m.def("part_sizes",
          [](const MaskArray& mask) {
              const MaskView view = mask_view(mask);
              nb::gil_scoped_release no_gil;
              return part_sizes(view);
          },
          "mask"_a.noconvert(), "Voxels of each connected part (face, edge or corner) of a mask, largest first.");

    m.def("shape",
          [](const Region& region, const std::string& instructions) {
              const Kernels& set = chosen(instructions);
              std::array<double, shape_names.size()> values;
              {
                  nb::gil_scoped_release no_gil;
                  values = shape(region, set);
              }
              return vector(std::vector<double>(values.begin(), values.end()));
          },
          "region"_a, "instructions"_a = "best", "The features of the family \"shape\": they need no intensities.");

    m.def("features",
          [](const Region& region, const Sample& sample, const EdgeArray& edges, unsigned families, Workspace& workspace,
             const std::string& instructions) {
              const Kernels& set = chosen(instructions);
              std::vector<double> values;
              {
                  nb::gil_scoped_release no_gil;
                  values = features(region, sample, {edges.data(), edges.shape(0)}, families, set, workspace);
              }
              return vector(std::move(values));
          },
          "region"_a, "sample"_a, "edges"_a.noconvert(), "families"_a, "workspace"_a, "instructions"_a = "best",
          "Feature values of the families whose bits are set (bit n: the n-th of family_names()).");

    m.def("matrices",
          [](const Region& region, const Sample& sample, const EdgeArray& edges, Workspace& workspace, const std::string& instructions) {
              const Kernels& set = chosen(instructions);
              Matrices counts;
              {
                  nb::gil_scoped_release no_gil;
                  counts = matrices(region, sample, {edges.data(), edges.shape(0)}, set, workspace);
              }
              nb::dict out;
              out["levels"] = vector(std::move(counts.levels));
              out["glcm"] = matrix(counts.glcm);
              out["glrlm"] = matrix(counts.glrlm);
              out["glszm"] = matrix(counts.glszm);
              out["gldm"] = matrix(counts.gldm);
              out["ngtdm"] = matrix(counts.ngtdm);
              return out;
          },
          "region"_a, "sample"_a, "edges"_a.noconvert(), "workspace"_a, "instructions"_a = "best",
          "Every texture count as rows (direction, level, second index, count).");

    m.def("family_names", [] {
        nb::list names;
        for (const Family& family : families()) names.append(family.name);
        return names;
    });
    m.def("feature_names",
          [](const std::string& name) {
              nb::list names;
              auto append = [&](std::span<const char* const> features) {
                  for (const char* feature : features) names.append(feature);
              };
              for (const Family& family : families())
                  if (name == family.name) append(family.features);
              for (const NamedTextureFamily& family : texture_families())
                  if (name == family.name && names.size() == 0) append(family.features);
              return names;
          },
          "family"_a);
    m.def("instruction_sets", [] {
        nb::list names;
        for (const char* name : {"base", "avx2", "avx512"})
            if (kernels(name) != nullptr) names.append(name);
        return names;
    });
}

}  // namespace isthmus::bindings
