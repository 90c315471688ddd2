#pragma once

#include <string_view>

#include "core/result.hpp"
#include "gateway/exchange.hpp"
#include "net/types.hpp"

/// WebSocket mode of Responses: one connection of a client, one turn at a time.
namespace oai::gateway {

/// A conversation from its handshake to its end: each `response.create` is a turn, counted and charged as a request of
/// its own. `opening` is the upgrade request, routed and authenticated; it fails when it is no proper one (400, 426).
net::Awaitable<core::Result<void>> hold_conversation(Exchange& opening);

}  // namespace oai::gateway
