// Texture matrices with every aggregation, distance and weighting.
#include <nanobind/stl/pair.h>

#include <map>

#include "arrays.hpp"
#include "isthmus/discretise.hpp"
#include "isthmus/texture.hpp"
#include "rooms.hpp"

namespace isthmus::bindings {

namespace {

using LevelArray = nb::ndarray<const std::uint32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Names = std::pair<std::string, std::string>;

TextureOptions options_of(int slice_axis, std::vector<int> distances, bool symmetric, const std::string& weighting, double alpha,
                          const std::string& rules, std::uint32_t grey_levels, bool correlation) {
    static const std::map<std::string, Weighting> weightings = {{"none", Weighting::none},
                                                                {"no_weighting", Weighting::none},
                                                                {"manhattan", Weighting::manhattan},
                                                                {"euclidean", Weighting::euclidean},
                                                                {"infinity", Weighting::infinity}};
    const auto chosen_weighting = weightings.find(weighting);
    if (chosen_weighting == weightings.end())
        throw std::invalid_argument("unknown weighting '" + weighting + "'; known: none, no_weighting, manhattan, euclidean, infinity");
    if (rules != "ibsi" && rules != "pyradiomics") throw std::invalid_argument("unknown rules '" + rules + "'; known: ibsi, pyradiomics");
    return {slice_axis, std::move(distances), symmetric, chosen_weighting->second, alpha, rules == "ibsi", grey_levels, correlation};
}

}  // namespace

void bind_texture(nb::module_& m) {
    m.def("digitise",
          [](const Sample& sample, const EdgeArray& edges) {
              std::vector<std::uint32_t> levels;
              {
                  nb::gil_scoped_release no_gil;
                  digitise(sample, {edges.data(), edges.shape(0)}, levels);
              }
              return vector(std::move(levels));
          },
          "sample"_a, "edges"_a.noconvert(), "Grey level of every voxel of the region, in memory order: numpy.digitize.");

    m.def("texture",
          [](const Region& region, const LevelArray& levels, const std::vector<Names>& requests, int slice_axis, std::vector<int> distances,
             bool symmetric, const std::string& weighting, double alpha, const std::string& rules, std::uint32_t grey_levels,
             bool correlation, const Region* edge, Workspace& workspace, const std::string& instructions) {
              const Kernels& set = chosen(instructions);
              const TextureOptions options =
                  options_of(slice_axis, std::move(distances), symmetric, weighting, alpha, rules, grey_levels, correlation);
              std::vector<TextureRequest> wanted;
              for (const auto& [family, aggregation] : requests) wanted.push_back(texture_request(family, aggregation));
              std::vector<std::vector<double>> values;
              {
                  nb::gil_scoped_release no_gil;
                  values = texture(region, {levels.data(), levels.shape(0)}, wanted, options, edge, set, workspace);
              }
              nb::list out;
              for (std::vector<double>& of_request : values) out.append(vector(std::move(of_request)));
              return out;
          },
          "region"_a, "levels"_a.noconvert(), "requests"_a, nb::kw_only(), "slice_axis"_a = 0, "distances"_a = std::vector<int>{1},
          "symmetric"_a = true, "weighting"_a = "none", "alpha"_a = 0.0, "rules"_a = "ibsi", "grey_levels"_a = 0, "correlation"_a = true,
          "edge"_a = nb::none(), "workspace"_a, "instructions"_a = "best",
          "Feature values of each request (family, aggregation), in the order of feature_names(family).");

    m.def("texture_matrices",
          [](const Region& region, const LevelArray& levels, const Names& request, int slice_axis, std::vector<int> distances,
             bool symmetric, const std::string& weighting, double alpha, const std::string& rules, const Region* edge,
             Workspace& workspace, const std::string& instructions) {
              const Kernels& set = chosen(instructions);
              const TextureOptions options = options_of(slice_axis, std::move(distances), symmetric, weighting, alpha, rules, 0, true);
              const TextureRequest wanted = texture_request(request.first, request.second);
              std::vector<std::array<double, 7>> rows;
              {
                  nb::gil_scoped_release no_gil;
                  rows = texture_matrices(region, {levels.data(), levels.shape(0)}, wanted, options, edge, set, workspace);
              }
              return matrix(rows);
          },
          "region"_a, "levels"_a.noconvert(), "request"_a, nb::kw_only(), "slice_axis"_a = 0, "distances"_a = std::vector<int>{1},
          "symmetric"_a = true, "weighting"_a = "none", "alpha"_a = 0.0, "rules"_a = "ibsi", "edge"_a = nb::none(), "workspace"_a,
          "instructions"_a = "best",
          "The matrices a request's features are the mean over: rows (slice, k, j, i of the direction, grey level, second index, count).");
}

}  // namespace isthmus::bindings
