#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "net/types.hpp"
#include "net/worker.hpp"

namespace oai::net {

/// Suspends the calling session, hands `start` the function that resumes it, and goes on, on its worker, when that was
/// called: once, from any thread, also from within `start`. The worker runs until then, even when it was told to stop
/// meanwhile: whoever took `resume` must call it, whatever happens.
Awaitable<void> suspend(Worker& worker, std::function<void(std::function<void()> resume)> start);

/// Goes on after a while. A worker that stops waits for it: keep it short.
Awaitable<void> pause(Worker& worker, std::chrono::nanoseconds time);

/// How work gets to another thread, such as the store's.
using Post = std::function<void(std::function<void()>)>;

/// Runs `task` where `post` takes it and comes back with its result. `task` must own or outlive what it uses.
template <class Task>
Awaitable<std::invoke_result_t<Task&>> run_elsewhere(Post post, Worker& worker, Task task) {
    using Answer = std::invoke_result_t<Task&>;
    // Shared: the task may finish after the session was torn down with its worker.
    auto answer = std::make_shared<std::unique_ptr<Answer>>();
    const std::function<void(std::function<void()>)> start = [&post, &task, answer](std::function<void()> resume) {
        post([task = std::move(task), answer, resume = std::move(resume)]() mutable {
            // Built where it stays: g++ 12 takes the end of a moved-from Result for the deletion of what is no heap.
            answer->reset(new Answer(task()));
            resume();
        });
    };
    co_await suspend(worker, start);
    co_return std::move(**answer);
}

}  // namespace oai::net
