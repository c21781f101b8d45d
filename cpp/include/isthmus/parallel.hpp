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

// Threads that are waited for, whatever happens (std::jthread, which Apple's library lacks).
struct Threads {
    Threads() = default;
    Threads(const Threads&) = delete;
    Threads& operator=(const Threads&) = delete;
    ~Threads() {
        for (std::thread& one : running) one.join();
    }
    std::vector<std::thread> running;
};

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
    const Index wanted = std::min<Index>(std::max(workers, 1u), items);
    if (wanted <= 1) {
        work();
    } else {
        Threads threads;
        for (Index t = 0; t < wanted; ++t) threads.running.emplace_back(work);
    }
    if (failure) std::rethrow_exception(failure);
}

}  // namespace isthmus
