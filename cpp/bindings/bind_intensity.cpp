// IBSI families of intensities.
#include "arrays.hpp"
#include "isthmus/features/intensity_histogram.hpp"
#include "isthmus/features/intensity_statistics.hpp"
#include "isthmus/features/intensity_volume_histogram.hpp"
#include "rooms.hpp"

namespace isthmus::bindings {

namespace {

using LevelArray = nb::ndarray<const std::uint32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

template <class Values>
nb::object as_array(const Values& values) {
    return vector(std::vector<double>(values.begin(), values.end()));
}

}  // namespace

void bind_intensity(nb::module_& m) {
    m.def("intensity_statistics",
          [](const Sample& sample, const std::string& instructions) {
              const Kernels& set = chosen(instructions);
              std::array<double, intensity_statistics_names.size()> values;
              {
                  nb::gil_scoped_release no_gil;
                  values = intensity_statistics(sample, set);
              }
              return as_array(values);
          },
          "sample"_a, "instructions"_a = "best", "IBSI intensity statistics (UHIW), 18 values in IBSI's order.");

    m.def("intensity_histogram",
          [](const LevelArray& levels, std::uint32_t bins) {
              std::array<double, intensity_histogram_names.size()> values;
              {
                  nb::gil_scoped_release no_gil;
                  values = intensity_histogram(Histogram({levels.data(), levels.shape(0)}, bins));
              }
              return as_array(values);
          },
          "levels"_a.noconvert(), "bins"_a, "IBSI intensity histogram (ZVCW), 23 values in IBSI's order; levels from 1 to bins.");

    m.def("intensity_volume_histogram",
          [](const LevelArray& levels, std::uint32_t bins, double first, double step) {
              std::array<double, intensity_volume_histogram_names.size()> values;
              {
                  nb::gil_scoped_release no_gil;
                  values = intensity_volume_histogram(Histogram({levels.data(), levels.shape(0)}, bins), first, step);
              }
              return as_array(values);
          },
          "levels"_a.noconvert(), "bins"_a, "first"_a, "step"_a,
          "IBSI intensity-volume histogram (P88C), 7 values; level g stands for the intensity first + step * (g - 1).");
}

}  // namespace isthmus::bindings
