#pragma once

#include "core/result.hpp"
#include "gateway/exchange.hpp"
#include "net/types.hpp"

/// The stages of one request, in the order of serve.cpp. One file each.
namespace oai::gateway {

// clang-format off
core::Result<void> route(Exchange& x);                          // 404 405
core::Result<void> authenticate(Exchange& x);                   // 401
bool take_body(Exchange& x);                                    // true: all of it came with the head, or there is none
net::Awaitable<core::Result<void>> read_body(Exchange& x);      // 408 413
core::Result<void> validate(Exchange& x);                       // 400
core::Result<void> select_version(Exchange& x);                 // 404 503
net::Awaitable<core::Result<void>> forward(Exchange& x);        // 502 504
net::Awaitable<core::Result<void>> answer_models(Exchange& x);  // GET /v1/models: 404
net::Awaitable<core::Result<void>> answer_options(Exchange& x); // OPTIONS that goes no further
// clang-format on

/// The one place where an Error becomes a reply.
net::Awaitable<void> fail(Exchange& x, const core::Error& error);

}  // namespace oai::gateway
