// Runs of set voxels along i are joined with the runs they touch in the four rows before theirs (union-find).
#include "isthmus/parts.hpp"

#include <algorithm>
#include <cstring>
#include <functional>

namespace isthmus {
namespace {

struct Run {
    Index start;  // first set voxel
    Index stop;   // one behind the last
};

class Forest {
public:
    Index add() {
        parents_.push_back(static_cast<Index>(parents_.size()));
        return parents_.back();
    }
    Index root(Index n) {
        while (parents_[n] != n) n = parents_[n] = parents_[parents_[n]];
        return n;
    }
    void join(Index a, Index b) {
        a = root(a), b = root(b);
        parents_[std::max(a, b)] = std::min(a, b);
    }
    Index size() const { return static_cast<Index>(parents_.size()); }

private:
    std::vector<Index> parents_;
};

void find_runs(const std::uint8_t* row, Index length, std::vector<Run>& runs) {
    for (Index i = 0; i < length;) {
        const void* first = std::memchr(row + i, 1, static_cast<std::size_t>(length - i));
        if (first == nullptr) return;
        const Index start = static_cast<const std::uint8_t*>(first) - row;
        const void* last = std::memchr(row + start, 0, static_cast<std::size_t>(length - start));
        const Index stop = last == nullptr ? length : static_cast<const std::uint8_t*>(last) - row;
        runs.push_back({start, stop});
        i = stop;
    }
}

}  // namespace

std::vector<Index> part_sizes(const MaskView& m) {
    const auto [nk, nj, ni] = m.shape;
    std::vector<Run> runs;
    std::vector<Index> begin(static_cast<std::size_t>(nk * nj) + 1, 0);  // first run of each row
    Forest forest;
    // joins the runs from `first` on, those of the present row, with the runs of an earlier row
    const auto touch = [&](Index first, Index row) {
        Index other = begin[row];
        const Index end = begin[row + 1];
        for (Index n = first; n < static_cast<Index>(runs.size()); ++n) {
            while (other < end && runs[other].stop < runs[n].start) ++other;
            for (Index t = other; t < end && runs[t].start <= runs[n].stop; ++t) forest.join(n, t);
        }
    };
    for (Index k = 0; k < nk; ++k) {
        for (Index j = 0; j < nj; ++j) {
            const Index row = k * nj + j, first = static_cast<Index>(runs.size());
            begin[row] = first;
            find_runs(m.data + k * m.stride[0] + j * m.stride[1], ni, runs);
            if (static_cast<Index>(runs.size()) == first) continue;
            while (forest.size() < static_cast<Index>(runs.size())) forest.add();
            if (j > 0) touch(first, row - 1);
            for (Index dj = -1; k > 0 && dj <= 1; ++dj)
                if (j + dj >= 0 && j + dj < nj) touch(first, row - nj + dj);
        }
    }
    std::vector<Index> voxels(runs.size(), 0);
    for (Index n = 0; n < static_cast<Index>(runs.size()); ++n) voxels[forest.root(n)] += runs[n].stop - runs[n].start;
    std::erase(voxels, 0);
    std::sort(voxels.begin(), voxels.end(), std::greater<>());
    return voxels;
}

}  // namespace isthmus
