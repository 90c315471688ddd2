#pragma once

#include <memory>

#include "core/clock.hpp"
#include "net/types.hpp"
#include "net/worker.hpp"

namespace oai::net {

/// Something a session of one worker waits for, with a time at which it stops waiting. One waiter.
class Alarm {
public:
    explicit Alarm(Worker& worker);
    Alarm(const Alarm&) = delete;

    /// On the worker: until `ring` is called or the time comes. May return sooner: look at what was waited for.
    Awaitable<void> wait_until(core::TimePoint time);
    /// From any thread.
    void ring();

private:
    struct State;
    Worker& worker_;
    std::shared_ptr<State> state_;  ///< a ring on its way may arrive when this is gone
};

}  // namespace oai::net
