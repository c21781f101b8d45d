// The intensities of one image inside one region, and the grey levels made of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "isthmus/region.hpp"
#include "isthmus/view.hpp"

namespace isthmus {

// The region's intensities in memory order: single precision where that is exact (int16, float32), double otherwise.
struct Sample {
    Sample(const Region& region, const ImageView& image);

    bool single;
    std::vector<float> f32;
    std::vector<double> f64;
    double minimum = 0;
    double maximum = 0;
    Index not_finite = 0;  // voxels that are NaN or infinite
    // Where all are whole numbers of a short range, as CT and MR are stored: how often minimum, minimum + 1 ... maximum occur;
    // else empty. Order statistics, moments and grey levels need no more.
    std::vector<std::uint32_t> whole;
};

// Grey levels of a region. In the padded volume a voxel holds a number: the level itself where these fit into 8 bits, else the
// rank of its level among those that occur.
struct Levels {
    int bits = 8;                     // of a number in the padded volume: 8, 16 or 32
    std::uint32_t highest = 0;        // N_g: the largest grey level of the region
    std::uint32_t count = 0;          // K: the largest number in the volume
    std::vector<double> value;        // value[k]: the grey level that number k stands for; value[0] = 0 (outside)
    std::vector<std::uint64_t> voxels;  // voxels[k]: how many voxels have it
};

}  // namespace isthmus
