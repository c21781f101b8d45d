// Numbers that are all written before they are read: memory that nobody fills with zeros first. It starts at a whole cache line,
// so that no vector lies across two.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "isthmus/view.hpp"

namespace isthmus {

template <class T>
class Buffer {
public:
    static constexpr std::align_val_t alignment{64};
    struct Delete {
        void operator()(T* values) const { ::operator delete[](values, alignment); }
    };
    using Owner = std::unique_ptr<T[], Delete>;

    Buffer() = default;
    explicit Buffer(Index size)
        : values_(static_cast<T*>(::operator new[](static_cast<std::size_t>(size) * sizeof(T), alignment))), size_(size) {
#if defined(__linux__)
        // Large ones come in large pages where the system has them: the first touch of each small page costs more than filling it.
        constexpr std::uintptr_t page = std::uintptr_t{1} << 21;
        const std::uintptr_t start = (reinterpret_cast<std::uintptr_t>(values_.get()) + page - 1) / page * page;
        const std::uintptr_t end = reinterpret_cast<std::uintptr_t>(values_.get() + size_) / page * page;
        if (end > start) madvise(reinterpret_cast<void*>(start), end - start, MADV_HUGEPAGE);
#endif
    }
    T* data() { return values_.get(); }
    const T* data() const { return values_.get(); }
    Index size() const { return size_; }
    // Room for so many, whose values are lost when it has to grow.
    T* at_least(Index size) {
        if (size > size_) *this = Buffer(size);
        return data();
    }
    Owner release() { return std::move(values_); }

private:
    Owner values_;
    Index size_ = 0;
};

}  // namespace isthmus
