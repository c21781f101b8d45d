// One function per room of the core: each adds its names to the module.
#pragma once

#include <nanobind/nanobind.h>

namespace isthmus::bindings {

void bind_convolution(nanobind::module_& m);  // linear maps along an axis
void bind_features(nanobind::module_& m);  // regions, samples, features of the fast path
void bind_filters(nanobind::module_& m);  // response maps
void bind_intensity(nanobind::module_& m);  // IBSI families of intensities
void bind_kmeans(nanobind::module_& m);  // k-means
void bind_maps(nanobind::module_& m);  // voxel maps and many regions at once
void bind_mixture(nanobind::module_& m);  // one-dimensional mixtures
void bind_morphology(nanobind::module_& m);  // IBSI morphology and local intensity
void bind_pathology(nanobind::module_& m);  // nuclei
void bind_resample(nanobind::module_& m);  // interpolation on another grid
void bind_supervoxels(nanobind::module_& m);  // supervoxels
void bind_texture(nanobind::module_& m);  // texture matrices with every aggregation, distance and weighting

}  // namespace isthmus::bindings
