// The kernel around one voxel. It is so small that reading it into a cube of its own, with its grey levels as ranks 1 ... K, costs
// less than anything counted in it; the counts go into a Workspace, and the families' own formulas read them there.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "isthmus/features/glcm.hpp"
#include "isthmus/region.hpp"
#include "isthmus/sample.hpp"
#include "isthmus/view.hpp"
#include "isthmus/workspace.hpp"

namespace isthmus {

struct Kernel {
    Index radius = 1;
    int flat_axis = -1;  // no step along this axis: slices by themselves
};

// Grey levels and intensities of all voxels a kernel may hold, with a border as wide as the kernel reaches.
struct KernelVolume {
    KernelVolume(const Region& region, const Sample& sample, const Workspace& discretised, const Kernel& kernel);

    Kernel kernel;
    std::array<Index, 3> reach, step;       // along (k, j, i): of the kernel, of one voxel
    std::vector<std::uint16_t> number;      // of the grey level; 0: not in the kernel
    std::vector<double> intensity;
    std::vector<double> value;              // value[number]: the grey level
    std::uint32_t highest = 0;              // N_g
    bool one_level = false;                 // a flat region
    std::array<bool, 13> adjacent{};        // some two neighbours along the direction belong to it

    Index offset(Index k, Index j, Index i) const {
        return (k + reach[0]) * step[0] + (j + reach[1]) * step[1] + i + reach[2];
    }
};

enum : unsigned { in_firstorder = 1, in_glcm = 2, in_glrlm = 4, in_glszm = 8, in_gldm = 16, in_ngtdm = 32 };
inline constexpr std::size_t window_features = 18 + 24 + 16 + 16 + 14 + 5;
inline constexpr Index glcm_mcc_place = 18 + glcm_mcc;

struct WindowRules {
    unsigned families = 0;
    bool mcc = true;
    double voxel_volume = 1;
    double shift = 0;          // added to intensities for the energies
    double tolerance = 0;      // GLDM: levels that differ by no more depend on one another
};

class Window {
public:
    explicit Window(const KernelVolume& volume);

    // The features of the wanted families of the kernel around the voxel at this offset, each at its place among all.
    void measure(Index centre, const WindowRules& rules, const Kernels& kernels, std::array<double, window_features>& out);

private:
    void read(Index centre);
    void count_pairs(std::size_t direction);
    void count_runs(std::size_t direction);
    bool shares_line(std::size_t direction) const;
    void count_zones();
    void count_neighbourhoods(double tolerance);

    const KernelVolume& volume_;
    std::array<Index, 3> side_, step_;                 // of the cube, which has a border of one voxel
    Index longest_;
    std::vector<std::size_t> directions_;              // those the kernel has
    std::array<Index, 13> back_{};
    std::vector<std::uint16_t> number_, rank_;         // the cube: global numbers, and ranks among those present
    std::vector<Index> present_;                       // voxels of the cube, in memory order
    std::vector<double> intensity_;
    std::vector<std::uint32_t> seen_, rank_of_;        // by global number
    std::uint32_t now_ = 0;
    std::vector<std::uint16_t> distinct_;
    std::vector<std::uint16_t> pairs_, runs_;          // tables, all zero between calls
    std::vector<PairCell> touched_;
    std::vector<Index> parent_;
    std::vector<std::uint32_t> size_;
    Workspace work_;
    GlcmScratch scratch_;
};

}  // namespace isthmus
