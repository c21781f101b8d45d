// Mixtures of many features at once.
#include "arrays.hpp"
#include "isthmus/mixture.hpp"
#include "isthmus/parallel.hpp"
#include "rooms.hpp"

namespace isthmus::bindings {

using Columns = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Seeds = nb::ndarray<const std::uint64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

void bind_mixture(nb::module_& m) {
    nb::class_<MixtureSettings>(m, "MixtureSettings", "How mixtures are fitted, chosen and resampled (mixture.hpp).")
        .def(nb::init<>())
        .def_rw("most", &MixtureSettings::most)
        .def_rw("iterations", &MixtureSettings::iterations)
        .def_rw("tolerance", &MixtureSettings::tolerance)
        .def_rw("floor_is_added", &MixtureSettings::floor_is_added)
        .def_rw("least_share", &MixtureSettings::least_share)
        .def_rw("least_count", &MixtureSettings::least_count)
        .def_rw("separation", &MixtureSettings::separation)
        .def_rw("weighted", &MixtureSettings::weighted)
        .def_rw("start_anew", &MixtureSettings::start_anew)
        .def_rw("resamples", &MixtureSettings::resamples)
        .def_rw("least_resampled", &MixtureSettings::least_resampled)
        .def_rw("one_has_interval", &MixtureSettings::one_has_interval);

    m.def("dispersions",
          [](const Columns& values, const Columns& weights, const EdgeArray& counts, const EdgeArray& floors, const Seeds& seeds,
             const MixtureSettings& settings, unsigned workers, const std::string& instructions) {
              const std::size_t p = values.shape(0), width = values.shape(1);
              if (weights.shape(0) != p || weights.shape(1) != width || counts.shape(0) != p || floors.shape(0) != p || seeds.shape(0) != p)
                  throw std::invalid_argument("values, weights, counts, floors and seeds must have one row for each feature");
              using Row = std::array<double, 5 + 3 * most_components>;
              std::vector<Row> rows(p);
              {
                  nb::gil_scoped_release no_gil;
                  in_parallel(static_cast<Index>(p), workers, [] { return 0; },
                              [&](int, Index feature) {
                                  const std::size_t f = static_cast<std::size_t>(feature);
                                  const std::size_t n = static_cast<std::size_t>(counts.data()[f]);
                                  if (n > width) throw std::invalid_argument("a count is larger than the row");
                                  const Dispersion d = dispersion({values.data() + f * width, n}, {weights.data() + f * width, n}, floors.data()[f],
                                                                  seeds.data()[f], settings, instructions.c_str());
                                  Row& row = rows[f];
                                  row = {d.value, static_cast<double>(d.mixture.components), d.lower, d.upper, d.error};
                                  std::copy(d.mixture.weight.begin(), d.mixture.weight.end(), row.begin() + 5);
                                  std::copy(d.mixture.mean.begin(), d.mixture.mean.end(), row.begin() + 5 + most_components);
                                  std::copy(d.mixture.variance.begin(), d.mixture.variance.end(), row.begin() + 5 + 2 * most_components);
                              });
              }
              return matrix(rows);
          },
          "values"_a.noconvert(), "weights"_a.noconvert(), "counts"_a.noconvert(), "floors"_a.noconvert(), "seeds"_a.noconvert(), "settings"_a,
          "workers"_a = 1u, "instructions"_a = "best",
          "Per row (one feature; the first `counts` values are read): dispersion, components, lower, upper, error; weights, means and "
          "variances of up to four components.");
}

}  // namespace isthmus::bindings
