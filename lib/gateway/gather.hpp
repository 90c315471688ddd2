#pragma once

#include <cstddef>
#include <functional>
#include <utility>

#include "net/suspend.hpp"
#include "net/types.hpp"
#include "net/worker.hpp"

namespace oai::gateway {

/// Sessions of one worker that run side by side, and one that waits for all of them. It must wait before it ends: they
/// use what it has.
class Gather {
public:
    explicit Gather(net::Worker& worker) : worker_(worker) {}
    Gather(const Gather&) = delete;

    /// Runs `work(0)` to `work(n - 1)`, and comes back when the last of them has ended, however it did.
    net::Awaitable<void> run(std::size_t n, std::function<net::Awaitable<void>(std::size_t)> work) {
        const std::function<void(std::function<void()>)> start = [this, n, &work](std::function<void()> resume) {
            resume_ = std::move(resume);
            running_ = n + 1;  // this one too: it may not end before all have begun
            for (std::size_t i = 0; i < n; ++i) worker_.spawn(one(work, i));
            ended();
        };
        co_await net::suspend(worker_, start);
    }

private:
    struct Ended {
        Gather& gather;
        ~Ended() { gather.ended(); }
    };
    net::Awaitable<void> one(const std::function<net::Awaitable<void>(std::size_t)>& work, std::size_t i) {
        const Ended ended{*this};
        co_await work(i);
    }
    void ended() {
        if (--running_ == 0) resume_();
    }

    net::Worker& worker_;
    std::function<void()> resume_;
    std::size_t running_ = 0;
};

}  // namespace oai::gateway
