// IBSI morphology and local intensity; PyRadiomics' shape in a slice.
#include "arrays.hpp"
#include "isthmus/features/local_intensity.hpp"
#include "isthmus/features/morphology.hpp"
#include "isthmus/features/shape2d.hpp"
#include "rooms.hpp"

namespace isthmus::bindings {

namespace {

template <class Names>
nb::list listed(const Names& names) {
    nb::list out;
    for (const char* name : names) out.append(name);
    return out;
}

}  // namespace

void bind_morphology(nb::module_& m) {
    m.def("morphology",
          [](const Region& region, const Region& intensity, const Sample& sample, const std::string& instructions) {
              const Kernels& set = chosen(instructions);
              std::vector<double> values;
              {
                  nb::gil_scoped_release no_gil;
                  const auto found = morphology(region, intensity, sample, set);
                  values.assign(found.begin(), found.end());
              }
              return vector(std::move(values));
          },
          "region"_a, "intensity"_a, "sample"_a, "instructions"_a = "best",
          "Morphology of a region, its intensities from a second region in the same box; values as morphology_names() says.");
    m.def("morphology_names", [] { return listed(morphology_names); });

    m.def("local_intensity",
          [](const ImageArray& image, const MaskArray& mask, std::array<double, 3> spacing) {
              const ImageView picture = image_view(image);
              const MaskView region = mask_view(mask);
              std::vector<double> values;
              {
                  nb::gil_scoped_release no_gil;
                  const auto found = local_intensity(picture, region, spacing);
                  values.assign(found.begin(), found.end());
              }
              return vector(std::move(values));
          },
          "image"_a.noconvert(), "mask"_a.noconvert(), "spacing"_a,
          "Local and global intensity peak of the region in the whole image; values as local_intensity_names() says.");
    m.def("local_intensity_names", [] { return listed(local_intensity_names); });

    m.def("shape2d",
          [](const Region& region, const std::string& instructions) {
              const Kernels& set = chosen(instructions);
              std::vector<double> values;
              {
                  nb::gil_scoped_release no_gil;
                  const auto found = shape2d(region, set);
                  values.assign(found.begin(), found.end());
              }
              return vector(std::move(values));
          },
          "region"_a, "instructions"_a = "best", "Shape of a region one voxel thick along its first axis; values as shape2d_names() says.");
    m.def("shape2d_names", [] { return listed(shape2d_names); });
}

}  // namespace isthmus::bindings
