#pragma once

#include <chrono>

#include "core/result.hpp"
#include "gateway/exchange.hpp"
#include "http/connection.hpp"
#include "net/stream.hpp"
#include "net/types.hpp"

namespace oai::gateway {

/// Passes a whole answer on, after a look at it: JSON, complete, usage. Nothing has been sent when it fails.
net::Awaitable<core::Result<void>> relay_whole(Exchange& x, http::Connection& upstream, const http::ResponseHead& head);

/// Passes a stream on as it arrives, whole events at a time. A failure in it reaches the client as an error event.
net::Awaitable<core::Result<void>> relay_stream(Exchange& x, http::Connection& upstream, const http::ResponseHead& head);

/// The moment `after` from now; never when it is 0.
core::TimePoint deadline_after(std::chrono::nanoseconds after, core::TimePoint now) noexcept;

/// Writes to the client. Failure is `cancelled`: the client has left, or reads slower than it may.
net::Awaitable<core::Result<void>> write_downstream(Exchange& x, net::Pieces pieces);

}  // namespace oai::gateway
