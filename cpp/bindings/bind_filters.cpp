// Response maps.
#include "arrays.hpp"
#include "isthmus/recursive_log.hpp"
#include "isthmus/stationary_wavelet.hpp"
#include "rooms.hpp"

namespace isthmus::bindings {

namespace {

using Corner = std::array<Index, 3>;

void check_box(const Corner& low, const Corner& high, const Corner& shape) {
    for (int a = 0; a < 3; ++a)
        if (low[a] < 0 || low[a] >= high[a] || high[a] > shape[a]) throw std::invalid_argument("the box does not lie inside the image");
}

template <class T>
void bind_wavelet(nb::module_& m, const char* name) {
    nb::class_<StationaryWavelet<T>>(m, name, "The undecimated wavelet transform of a box of an image, two bands at a time. Immutable.")
        .def("__init__",
             [](StationaryWavelet<T>* self, const ImageArray& image, std::vector<double> low_taps, std::vector<double> high_taps,
                std::array<bool, 3> axes, Corner low, Corner high, int level, const std::string& instructions) {
                 const ImageView view = image_view(image);
                 check_box(low, high, view.shape);
                 if (low_taps.size() < 2 || low_taps.size() % 2 != 0 || low_taps.size() != high_taps.size() || level < 0)
                     throw std::invalid_argument("two lists of taps of one even length and a level of at least 0 are needed");
                 const FilterKernels& set = chosen_filters(instructions);
                 const WaveletTaps taps{std::move(low_taps), std::move(high_taps), axes};
                 nb::gil_scoped_release no_gil;
                 new (self) StationaryWavelet<T>(view, taps, low, high, level, set);
             },
             "image"_a.noconvert(), "low_taps"_a, "high_taps"_a, "axes"_a, "low"_a, "high"_a, "level"_a = 0, "instructions"_a = "best")
        .def("bands",
             [](const StationaryWavelet<T>& self, std::array<int, 2> filters) {
                 for (const int filter : filters)
                     if (filter != 0 && filter != 1) throw std::invalid_argument("a filter is 0 (low) or 1 (high)");
                 std::array<Buffer<T>, 2> values;
                 {
                     nb::gil_scoped_release no_gil;
                     values = self.bands(filters);
                 }
                 nb::list found;
                 for (Buffer<T>& one : values)
                     if (one.size() > 0) found.append(volume(std::move(one), self.shape()));
                 return found;
             },
             "filters"_a,
             "The bands low and high along k of these filters along i and j: 0 low, 1 high (0 for an axis that is not transformed).\n\n"
             "One band where k is not transformed.");
}

}  // namespace

void bind_filters(nb::module_& m) {
    nb::class_<LogWorkspace>(m, "LogWorkspace", "Scratch memory of the LoG, to be used again for the next sigma.").def(nb::init<>());
    m.def("recursive_log",
          [](const ImageArray& image, std::array<double, 3> spacing, double sigma, Corner low, Corner high, Corner margin,
             LogWorkspace& workspace, const std::string& instructions) {
              const ImageView view = image_view(image);
              check_box(low, high, view.shape);
              for (const Index length : view.shape)
                  if (length < 4) throw std::invalid_argument("the recursive filter needs at least 4 voxels along every axis");
              const FilterKernels& set = chosen_filters(instructions);
              Buffer<float> values;
              {
                  nb::gil_scoped_release no_gil;
                  values = recursive_log(view, spacing, sigma, low, high, margin, set, workspace);
              }
              return volume(std::move(values), {high[0] - low[0], high[1] - low[1], high[2] - low[2]});
          },
          "image"_a.noconvert(), "spacing"_a, "sigma"_a, "low"_a, "high"_a, "margin"_a, "workspace"_a, "instructions"_a = "best",
          "Laplacian of Gaussian inside a box, from the voxels at most `margin` away from it.");
    bind_wavelet<float>(m, "StationaryWavelet32");
    bind_wavelet<double>(m, "StationaryWavelet64");
}

}  // namespace isthmus::bindings
