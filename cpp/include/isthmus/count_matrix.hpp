// A texture matrix as the list of its cells, whatever the family, and the counter that makes one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace isthmus {

struct CountCell {
    std::uint32_t row;     // number of a grey level
    std::uint32_t column;  // number of a grey level, or a length, size, distance or dependence
    double count;          // whole, unless matrices were weighted
};

using CountMatrix = std::vector<CountCell>;  // ascending by row, then column; no cell twice, none empty

// Counts cells of a matrix of `rows` x `columns`: in a table where that is worth its clearing, else as a list that is sorted.
class CellCounter {
public:
    CellCounter(std::uint64_t rows, std::uint64_t columns, std::uint64_t expected)
        : columns_(columns), dense_(rows * columns <= 4096 + 8 * expected) {
        if (dense_)
            table_.assign(rows * columns, 0);
        else
            list_.reserve(expected);
    }
    void add(std::uint32_t row, std::uint32_t column) {
        const std::uint64_t key = row * columns_ + column;
        if (dense_)
            ++table_[key];
        else
            list_.push_back(key);
    }
    CountMatrix cells() {
        CountMatrix out;
        auto append = [&](std::uint64_t key, std::uint64_t count) {
            out.push_back({static_cast<std::uint32_t>(key / columns_), static_cast<std::uint32_t>(key % columns_), static_cast<double>(count)});
        };
        for (std::uint64_t key = 0; key < table_.size(); ++key)
            if (table_[key] > 0) append(key, table_[key]);
        std::sort(list_.begin(), list_.end());
        for (std::size_t i = 0; i < list_.size();) {
            std::size_t j = i;
            while (j < list_.size() && list_[j] == list_[i]) ++j;
            append(list_[i], j - i);
            i = j;
        }
        return out;
    }

private:
    std::uint64_t columns_;
    bool dense_;
    std::vector<std::uint32_t> table_;
    std::vector<std::uint64_t> list_;
};

struct WeightedMatrix {
    const CountMatrix* matrix;
    double weight;
};

// Cell by cell the sum of weight * count, in the order given.
inline CountMatrix merged(std::span<const WeightedMatrix> parts) {
    CountMatrix all;
    for (const WeightedMatrix& part : parts)
        for (const CountCell& cell : *part.matrix)
            if (part.weight * cell.count > 0) all.push_back({cell.row, cell.column, part.weight * cell.count});
    if (parts.size() < 2) return all;
    std::stable_sort(all.begin(), all.end(), [](const CountCell& a, const CountCell& b) {
        return a.row != b.row ? a.row < b.row : a.column < b.column;
    });
    std::size_t last = 0;
    for (std::size_t i = 1; i < all.size(); ++i) {
        if (all[i].row == all[last].row && all[i].column == all[last].column)
            all[last].count += all[i].count;
        else
            all[++last] = all[i];
    }
    if (!all.empty()) all.resize(last + 1);
    return all;
}

}  // namespace isthmus
