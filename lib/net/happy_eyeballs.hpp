#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "net/stream.hpp"
#include "net/types.hpp"
#include "net/worker.hpp"

namespace oai::net {

/// Addresses of one host in the order they are tried: the two families by turns, beginning with that of the first, each
/// in the order given. A family that leads nowhere then costs one delay, however many addresses it has. RFC 8305, 4.
std::vector<IpAddress> by_turns(const std::vector<IpAddress>& addresses);

/// How long an attempt is alone before the next one starts beside it: RFC 8305, 5.
inline constexpr std::chrono::milliseconds kAttemptDelay{250};

/// Connects to the first of `endpoints`, at least one, that answers: one after another, the next one when the last has
/// failed or `delay` has passed; the others are closed when one is there. A single endpoint needs no timer. Failure:
/// `connect_failed`, retryable; the detail is the last reason alone.
Awaitable<core::Result<std::unique_ptr<Stream>>> connect_first(Worker& worker, std::vector<TcpEndpoint> endpoints,
                                                               core::TimePoint deadline,
                                                               std::chrono::milliseconds delay = kAttemptDelay);

}  // namespace oai::net
