// Numbers that are all written before they are read: memory that nobody fills with zeros first.
#pragma once

#include <memory>

#include "isthmus/view.hpp"

namespace isthmus {

template <class T>
class Buffer {
public:
    Buffer() = default;
    explicit Buffer(Index size) : values_(std::make_unique_for_overwrite<T[]>(static_cast<std::size_t>(size))), size_(size) {}
    T* data() { return values_.get(); }
    const T* data() const { return values_.get(); }
    Index size() const { return size_; }
    // Room for so many, whose values are lost when it has to grow.
    T* at_least(Index size) {
        if (size > size_) *this = Buffer(size);
        return data();
    }
    std::unique_ptr<T[]> release() { return std::move(values_); }

private:
    std::unique_ptr<T[]> values_;
    Index size_ = 0;
};

}  // namespace isthmus
