#pragma once

#include "core/result.hpp"
#include "gateway/exchange.hpp"
#include "http/connection.hpp"
#include "http/head.hpp"
#include "net/types.hpp"

namespace oai::gateway {

/// One request of a client to the API, from its head to its settled record. True when the connection may carry another.
net::Awaitable<bool> serve(WorkerState& worker, http::Connection& connection, http::RequestHead& head, Caller& caller);

/// What http::serve_connection calls for each request of a connection.
class Service {
public:
    explicit Service(WorkerState& worker) noexcept : worker_(worker) {}
    net::Awaitable<bool> handle(http::Connection& connection, http::RequestHead& head);
    net::Awaitable<void> refuse(http::Connection& connection, const core::Error& error);

private:
    WorkerState& worker_;
    Caller caller_;
};

}  // namespace oai::gateway
