#pragma once

#include <memory>
#include <string>

#include <doctest/doctest.h>

#include "net/listener.hpp"
#include "net/worker.hpp"

namespace oai::test {

/// One worker, run on this thread until the session under test has ended.
struct Loop {
    net::Worker worker{"test"};

    template <class Session>
    void run(Session session) {
        worker.spawn(until_done(std::move(session)));
        worker.run();
        CHECK(worker.escaped_exceptions() == 0);
    }

    /// On a loopback port of the system's choice.
    std::unique_ptr<net::Listener> listen(bool share_port = false, std::uint16_t port = 0) {
        return std::move(*net::Listener::open(worker, net::ListenAddress{"127.0.0.1", port}, share_port));
    }

private:
    template <class Session>
    net::Awaitable<void> until_done(Session session) {
        co_await session(worker);
        worker.stop();
    }
};

inline core::TimePoint in(std::chrono::milliseconds from_now) {
    return std::chrono::steady_clock::now() + from_now;
}

inline bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace oai::test
