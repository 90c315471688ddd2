#pragma once

#include <string_view>

#include "core/result.hpp"
#include "gateway/exchange.hpp"
#include "http/head.hpp"
#include "net/types.hpp"

/// The client's side of an event stream: chunks for HTTP/1.1, the bare bytes until the close for HTTP/1.0. Which
/// account the events come from may still change until one of them holds output.
namespace oai::gateway {

/// Prepares the head, from the upstream's or, when comments have to go out before there is one, without it. It goes out
/// with the first bytes. Nothing happens when a head is out already.
void begin_events(Exchange& x, const http::ResponseHead* upstream);

/// Whole events, or none: then the head alone, if it is not out yet. `last`: the stream ends well with them.
net::Awaitable<core::Result<void>> write_events(Exchange& x, std::string_view events, bool last);

/// A comment that says nothing but that we are here. It counts as no output and stops no fail-over.
net::Awaitable<core::Result<void>> write_keepalive(Exchange& x);

}  // namespace oai::gateway
