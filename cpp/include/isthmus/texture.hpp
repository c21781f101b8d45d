// Texture families with every aggregation, distance and weighting: counted once per region and set of grey levels, read out as
// often as asked.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "isthmus/count_matrix.hpp"
#include "isthmus/kernels.hpp"
#include "isthmus/region.hpp"
#include "isthmus/workspace.hpp"

namespace isthmus {

enum class TextureFamily { glcm, glrlm, glszm, gldzm, ngtdm, ngldm, gldm };

// By their IBSI codes. The first six are for families with directions (GLCM, GLRLM), the others for those without.
enum class Aggregation {
    btw3,    // each slice and direction by itself, then the mean
    sujt,    // directions merged in each slice, then the mean over slices
    jjui,    // slices merged for each direction, then the mean over directions
    zw7z,    // all slices and directions merged
    itbb,    // each direction in space by itself, then the mean
    iazd,    // all directions in space merged
    q8nn,    // 8QNN: each slice by itself, then the mean
    s62gr,   // 62GR: slices merged
    kobo     // in space
};

// How much a direction counts where directions are merged, by its length in mm. PyRadiomics: exp(-length^2) for pairs, length for
// runs; IBSI: 1 / length for both.
enum class Weighting { none, manhattan, euclidean, infinity };

struct TextureOptions {
    int slice_axis = 0;               // the axis normal to the slices
    std::vector<int> distances{1};    // Chebyshev, of pairs and neighbourhoods; runs and zones always use 1
    bool symmetric = true;            // pairs count both ways
    Weighting weighting = Weighting::none;
    double alpha = 0;                 // grey levels that differ by at most this are dependent
    bool ibsi = true;                 // else PyRadiomics' rules
    std::uint32_t grey_levels = 0;    // N_g; 0: the highest level of the region
    bool correlation = true;          // MCC among the co-occurrence features; else it is NaN
};

struct TextureRequest {
    TextureFamily family;
    Aggregation aggregation;
};

struct NamedTextureFamily {
    const char* name;
    std::span<const char* const> features;
};

std::span<const NamedTextureFamily> texture_families();  // in the order of TextureFamily

// The request of two names, "glcm" and "ITBB"; what does not exist or does not go together is an error.
TextureRequest texture_request(const std::string& family, const std::string& aggregation);

// Feature values of each request, NaN where undefined. `levels`: one per voxel of the region in memory order, from 1 on. `edge`: the
// region whose edge GLDZM measures distances to (IBSI's morphological mask), in the same box; nullptr: the region itself.
std::vector<std::vector<double>> texture(const Region& region, std::span<const std::uint32_t> levels, std::span<const TextureRequest> requests,
                                         const TextureOptions& options, const Region* edge, const Kernels& kernels, Workspace& work);

// The matrices a request's features are the mean over, as rows (slice, k, j, i of the direction, grey level, second index, count);
// slice -1: all; direction 0, 0, 0: none or all. Of NGTDM the last two are n_i and s_i.
std::vector<std::array<double, 7>> texture_matrices(const Region& region, std::span<const std::uint32_t> levels, const TextureRequest& request,
                                                    const TextureOptions& options, const Region* edge, const Kernels& kernels,
                                                    Workspace& work);

}  // namespace isthmus
