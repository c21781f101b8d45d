// Random numbers: splitmix64 (Steele, Lea and Flood 2014), the same on every machine.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace isthmus {

struct Draw {
    std::uint64_t state;

    std::uint64_t operator()() {
        std::uint64_t z = (state += 0x9E3779B97F4A7C15ULL);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        return z ^ (z >> 31);
    }
    double uniform() { return static_cast<double>((*this)() >> 11) * 0x1p-53; }  // in [0, 1)
    std::size_t below(std::size_t n) { return std::min(n - 1, static_cast<std::size_t>(uniform() * static_cast<double>(n))); }
};

}  // namespace isthmus
