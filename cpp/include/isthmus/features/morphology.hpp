// IBSI morphology (HCUG): size, roundness, axes, densities; and what needs the intensities as well.
#pragma once

#include <array>

#include "isthmus/kernels.hpp"
#include "isthmus/region.hpp"
#include "isthmus/sample.hpp"

namespace isthmus {

// IBSI's tags, in the order of its reference values. Moran's I and Geary's C, which sum over all pairs of voxels, are not among them.
inline constexpr std::array morphology_names = {
    "morph_volume", "morph_vol_approx", "morph_area_mesh", "morph_av", "morph_comp_1", "morph_comp_2", "morph_sph_dispr",
    "morph_sphericity", "morph_asphericity", "morph_com", "morph_diam", "morph_pca_maj_axis", "morph_pca_min_axis",
    "morph_pca_least_axis", "morph_pca_elongation", "morph_pca_flatness", "morph_vol_dens_aabb", "morph_area_dens_aabb",
    "morph_vol_dens_ombb", "morph_area_dens_ombb", "morph_vol_dens_aee", "morph_area_dens_aee", "morph_vol_dens_mvee",
    "morph_area_dens_mvee", "morph_vol_dens_conv_hull", "morph_area_dens_conv_hull", "morph_integ_int"};

// `region` is the morphological mask, `intensity` the intensity mask in the same box, `sample` the image in the latter. NaN where a
// feature is not defined: axes of a single voxel, ellipsoid densities of a flat region, a centre of mass without mass.
std::array<double, morphology_names.size()> morphology(const Region& region, const Region& intensity, const Sample& sample, const Kernels& kernels);

}  // namespace isthmus
