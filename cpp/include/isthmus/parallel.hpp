// Threads over independent items. Which thread takes an item never changes what is computed of it.
#pragma once

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "isthmus/view.hpp"

namespace isthmus {

// Calls `body(state, item)` for every item from 0 to `items` - 1; every thread makes its own state. The first exception is thrown
// again here, after all threads have ended.
template <class MakeState, class Body>
void in_parallel(Index items, unsigned workers, const MakeState& make_state, const Body& body) {
    std::atomic<Index> next{0};
    std::exception_ptr failure;
    std::mutex failed;
    auto work = [&] {
        try {
            auto state = make_state();
            for (Index item = next++; item < items; item = next++) body(state, item);
        } catch (...) {
            const std::lock_guard lock(failed);
            if (!failure) failure = std::current_exception();
            next = items;
        }
    };
    const Index threads = std::min<Index>(std::max(workers, 1u), items);
    if (threads <= 1) {
        work();
    } else {
        std::vector<std::jthread> running;
        for (Index t = 0; t < threads; ++t) running.emplace_back(work);
    }
    if (failure) std::rethrow_exception(failure);
}

}  // namespace isthmus
