// Scratch memory of one thread: it grows and is used again, it never carries a value from one call to the next.
#pragma once

#include <cstdint>
#include <vector>

#include "isthmus/region.hpp"
#include "isthmus/sample.hpp"

namespace isthmus {

struct PairCell {
    std::uint32_t high, low;  // numbers of the two grey levels, high >= low >= 1
    std::uint32_t count;      // unordered pairs
};

struct RunCell {
    std::uint32_t level, length, count;
};

struct DirectionCounts {
    std::vector<PairCell> pairs;
    std::vector<RunCell> runs;
    bool has_line = false;  // some line along the direction holds two voxels of the region
};

struct ZoneCell {
    std::uint32_t level;
    std::uint64_t size, count;
};

struct Workspace {
    std::vector<std::uint8_t> narrow;    // padded level volume
    std::vector<std::uint16_t> wide;
    std::vector<std::uint32_t> huge;
    std::vector<std::uint32_t> level_of;  // compact
    std::vector<std::uint8_t> run8[4];
    std::vector<std::uint16_t> run16[4];
    std::vector<std::uint32_t> run32[4];
    std::vector<std::uint16_t> index16[5];
    std::vector<std::uint32_t> index32[5];
    std::vector<std::uint64_t> index64[5];
    std::vector<std::uint32_t> table[5];
    std::vector<std::uint8_t> code_low, code_high, dependence;
    std::vector<std::uint16_t> dependence_cell, tone_cell, difference;
    std::vector<std::uint32_t> labels, parent, zone_size, zone_level;
    Levels levels;
    DirectionCounts directions[13];
    std::vector<ZoneCell> zones;
    std::vector<std::uint64_t> dependence_counts;   // K x 27: voxels with that many equal neighbours
    std::vector<std::uint64_t> difference_sums;     // K x 27, by number of neighbours: sum of |a * count - sum|

    // uint8, uint16 or uint32 level volume, first padded voxel
    template <class Level>
    const Level* volume() const;
};

template <>
inline const std::uint8_t* Workspace::volume<std::uint8_t>() const { return narrow.data() + spare; }
template <>
inline const std::uint16_t* Workspace::volume<std::uint16_t>() const { return wide.data() + spare; }
template <>
inline const std::uint32_t* Workspace::volume<std::uint32_t>() const { return huge.data() + spare; }

}  // namespace isthmus
