#include "isthmus/region.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

namespace isthmus {

namespace {

// Position of the first non-zero byte, or `n`.
Index first_set(const std::uint8_t* p, Index n) {
    Index i = 0;
    for (; i + 8 <= n; i += 8) {
        std::uint64_t word;
        std::memcpy(&word, p + i, 8);
        if (word != 0) break;
    }
    for (; i < n; ++i)
        if (p[i] != 0) return i;
    return n;
}

Index last_set(const std::uint8_t* p, Index n) {
    Index i = n;
    for (; i >= 8; i -= 8) {
        std::uint64_t word;
        std::memcpy(&word, p + i - 8, 8);
        if (word != 0) break;
    }
    for (; i > 0; --i)
        if (p[i - 1] != 0) return i - 1;
    return -1;
}

bool any_set(const std::uint8_t* p, Index n) {
    Index i = 0;
    for (; i + 64 <= n; i += 64) {
        std::uint8_t any = 0;
        for (Index b = 0; b < 64; ++b) any |= p[i + b];
        if (any != 0) return true;
    }
    return first_set(p + i, n - i) < n - i;
}

}  // namespace

BoundingBox bounding_box(const MaskView& m) {
    BoundingBox box;
    Index low_j = m.shape[1], high_j = -1, low_i = m.shape[2], high_i = -1, low_k = -1, high_k = -1;
    const bool dense = m.stride[1] == m.shape[2];
    for (Index k = 0; k < m.shape[0]; ++k) {
        const std::uint8_t* plane = m.data + k * m.stride[0];
        if (dense && !any_set(plane, m.shape[1] * m.shape[2])) continue;
        for (Index j = 0; j < m.shape[1]; ++j) {
            const std::uint8_t* row = plane + j * m.stride[1];
            const Index first = first_set(row, m.shape[2]);
            if (first == m.shape[2]) continue;
            ++box.count;
            if (low_k < 0) low_k = k;
            high_k = k;
            low_j = std::min(low_j, j);
            high_j = std::max(high_j, j);
            low_i = std::min(low_i, first);
            high_i = std::max(high_i, last_set(row, m.shape[2]));
        }
    }
    if (box.count > 0) {
        box.low = {low_k, low_j, low_i};
        box.high = {high_k + 1, high_j + 1, high_i + 1};
    }
    return box;
}

Region::Region(const MaskView& m, std::array<double, 3> spacing_mm) : shape(m.shape), spacing(spacing_mm) {
    for (int a = 0; a < 3; ++a) {
        if (!(spacing[a] > 0)) throw std::invalid_argument("spacing must be positive, got " + std::to_string(spacing[a]));
        padded[a] = shape[a] + 2;
        longest_side = std::max(longest_side, shape[a]);
    }
    if (longest_side > 32000) throw std::invalid_argument("a region may span at most 32000 voxels along an axis");
    step = {padded[1] * padded[2], padded[2], 1};
    volume = padded[0] * step[0];
    mask.assign(static_cast<std::size_t>(volume + 2 * spare), 0);
    std::uint8_t* origin = mask.data() + spare;
    plane_begin.reserve(static_cast<std::size_t>(shape[0] + 1));
    runs.reserve(static_cast<std::size_t>(shape[0] * shape[1]));
    for (Index k = 0; k < shape[0]; ++k) {
        plane_begin.push_back(static_cast<Index>(runs.size()));
        for (Index j = 0; j < shape[1]; ++j) {
            const std::uint8_t* row = m.data + k * m.stride[0] + j * m.stride[1];
            const Index base = (k + 1) * step[0] + (j + 1) * step[1] + 1;
            Index i = first_set(row, shape[2]);
            while (i < shape[2]) {
                Index end = i + 1;
                while (end < shape[2] && row[end] != 0) ++end;
                std::memset(origin + base + i, 1, static_cast<std::size_t>(end - i));
                runs.push_back({base + i, end - i, size});
                size += end - i;
                i = end + first_set(row + end, shape[2] - end);
            }
        }
    }
    plane_begin.push_back(static_cast<Index>(runs.size()));
    if (size == 0) throw std::invalid_argument("the mask is empty");

    neighbours.resize(static_cast<std::size_t>(size));
    for (const Run& run : runs) {
        const std::uint8_t* centre = origin + run.offset;
        std::uint8_t* out = neighbours.data() + run.start;
        const std::uint8_t* rows[9];
        for (Index dk = -1; dk <= 1; ++dk)
            for (Index dj = -1; dj <= 1; ++dj) rows[3 * (dk + 1) + dj + 1] = centre + dk * step[0] + dj * step[1];
        const Index n = run.length;  // a copy: for all the compiler knows, `out` could point at it
#pragma GCC ivdep
        for (Index i = 0; i < n; ++i) {
            std::uint8_t total = 0;
#pragma GCC unroll 9
            for (int q = 0; q < 9; ++q) total = static_cast<std::uint8_t>(total + rows[q][i - 1] + rows[q][i] + rows[q][i + 1]);
            out[i] = static_cast<std::uint8_t>(total - 1);  // without the voxel itself
        }
    }
}

}  // namespace isthmus
