#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

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
    // Shared: the task may finish after the session was torn down with its worker.
    auto result = std::make_shared<std::optional<std::invoke_result_t<Task&>>>();
    const auto start = [&background, &worker, &task, result](auto handler) {
        auto kept = std::make_shared<decltype(handler)>(std::move(handler));
        // The guard keeps the worker running until the session has its result, also when it was told to stop meanwhile.
        background.post(
            [task = std::move(task), result, kept, work = boost::asio::make_work_guard(worker.executor())]() mutable {
                result->emplace(task());
                boost::asio::post(work.get_executor(), [kept] { std::move (*kept)(); });
            });
    };
    co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<net::Executor>, void()>(start,
                                                                                                    net::use_awaitable);
    co_return std::move(**result);
}

}  // namespace oai::gateway
