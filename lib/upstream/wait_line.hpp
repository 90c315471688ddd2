#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "net/types.hpp"
#include "net/worker.hpp"
#include "upstream/account.hpp"

namespace oai::upstream {

/// Requests that wait for a place at one of several full accounts, first come first served over all workers. A place
/// that becomes free is handed to the first who can use it without ever looking free, so nobody overtakes.
class WaitLine {
public:
    /// `most` requests wait at a time; one more is refused at once.
    explicit WaitLine(std::size_t most = 100) : most_(most) {}

    /// Waits on `worker` for one of `accounts`, with its place taken. `try_now` takes a place if there is one: it is
    /// asked once more after the request stands in the line, so that a place that became free meanwhile is not missed.
    /// Errors: rate_limited when the line is full or `deadline` passes; cancelled when the worker stops or `gone` says
    /// that nobody waits any more (asked a few times per second).
    net::Awaitable<core::Result<AccountState*>> wait(net::Worker& worker, std::vector<AccountState*> accounts,
                                                     core::TimePoint deadline, std::function<AccountState*()> try_now,
                                                     std::function<bool()> gone);

    /// A place at `account` is free but still counted: gives it away. False: nobody wanted it, and the caller frees it.
    bool hand_over(AccountState& account);

    std::size_t waiting_approx() const noexcept { return waiting_.load(std::memory_order_relaxed); }

private:
    struct Waiter;
    void give_back(AccountState& account);

    std::size_t most_;
    std::mutex mutex_;
    std::list<std::shared_ptr<Waiter>> line_;
    std::atomic<std::size_t> waiting_{0};
};

}  // namespace oai::upstream
