#pragma once

#include <optional>

#include "core/result.hpp"
#include "gateway/exchange.hpp"
#include "net/types.hpp"

/// The stages of one request, in the order of serve.cpp. One file each.
namespace oai::gateway {

core::Result<void> route(Exchange& x);                          // 404 405
core::Result<void> authenticate(Exchange& x);                   // 401
std::optional<core::Result<void>> validate_here(Exchange& x);   // 400 413  empty: the body is still on its way
net::Awaitable<core::Result<void>> validate(Exchange& x);       // 400 408 413
core::Result<void> select_version(Exchange& x);                 // 404 503
net::Awaitable<core::Result<void>> forward(Exchange& x);        // 502 504
net::Awaitable<core::Result<void>> answer_models(Exchange& x);  // GET /v1/models

/// The one place where an Error becomes a reply.
net::Awaitable<void> fail(Exchange& x, const core::Error& error);

}  // namespace oai::gateway
