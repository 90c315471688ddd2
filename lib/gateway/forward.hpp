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
net::Awaitable<core::Result<void>> relay_stream(Exchange& x, http::Connection& upstream,
                                                const http::ResponseHead& head);

/// The moment `after` from now; never when it is 0.
core::TimePoint deadline_after(std::chrono::nanoseconds after, core::TimePoint now) noexcept;

/// Writes to the client what it takes now. This is all of it, nearly always; `blocked`: await `write_rest` with what is
/// left.
net::Stream::Written write_now(Exchange& x, net::Pieces& pieces) noexcept;
/// Waits for a client that reads slower than its upstream sends; nothing is read meanwhile, and that is the
/// back-pressure.
net::Awaitable<net::Stream::Written> write_rest(Exchange& x, net::Pieces pieces);
/// `cancelled` unless all was written: the client has left, or reads slower than it may.
core::Result<void> written_or_left(Exchange& x, net::Stream::Written written);

}  // namespace oai::gateway
