#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "net/suspend.hpp"
#include "net/types.hpp"
#include "net/worker.hpp"

namespace oai::gateway {

/// The store's thread: what blocks (SQLite, files) runs here, and a session awaits it on its own worker.
class Background {
public:
    Background();
    ~Background();  ///< finishes what is queued
    Background(const Background&) = delete;

    void post(std::function<void()> task);

private:
    void run();

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> tasks_;
    bool stopping_ = false;
    std::thread thread_;
};

/// Runs `task` in the background and comes back with its result. `task` must own or outlive what it uses.
template <class Task>
net::Awaitable<std::invoke_result_t<Task&>> run_in_background(Background& background, net::Worker& worker, Task task) {
    net::Post post = [&background](std::function<void()> work) { background.post(std::move(work)); };
    return net::run_elsewhere(std::move(post), worker, std::move(task));
}

}  // namespace oai::gateway
