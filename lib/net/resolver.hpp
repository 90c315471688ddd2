#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "net/types.hpp"
#include "net/worker.hpp"

namespace oai::net {

/// Names to addresses. The system's resolver blocks for as long as it likes, so it runs on a few threads of its own,
/// started when they are needed, and the answer is awaited on the caller's worker no longer than the caller can wait.
/// Answers and failures are remembered for a while; callers that ask for the same name at once share one lookup.
///
/// A lookup that hangs outlasts those who waited for it, and even the Resolver: its thread ends by itself.
class Resolver {
public:
    /// Blocks; runs on the resolver's threads. Must own what it uses. An error's detail is the reason alone.
    using Lookup = std::function<core::Result<std::vector<IpAddress>>(const std::string& host)>;

    struct Limits {
        std::size_t threads = 4;
        std::size_t queue = 256;   ///< names that wait for a thread; more are refused
        std::size_t names = 1024;  ///< remembered
        std::chrono::seconds good{30};
        std::chrono::seconds failed{5};
        /// How much longer than `good` addresses serve while they are looked up anew, and while that fails: an outage
        /// of the name service is not one of the providers.
        std::chrono::seconds stale{300};
    };

    /// The one of the process, over getaddrinfo. Never destroyed: its threads may outlive `main`.
    static Resolver& of_process();

    Resolver(Limits limits, Lookup lookup, const core::Clock& clock);
    ~Resolver();  ///< precondition: nobody waits. Does not wait for a lookup that hangs.
    Resolver(const Resolver&) = delete;

    /// Addresses of `host`, at least one, in the order the system gave. Failure: `connect_failed`, retryable; its
    /// detail is the reason alone, the caller knows the name. Also returns, with a failure, when the worker stops.
    Awaitable<core::Result<std::vector<IpAddress>>> resolve(Worker& worker, std::string host, core::TimePoint deadline);

private:
    struct State;
    std::shared_ptr<State> state_;  ///< shared with the threads
};

}  // namespace oai::net
