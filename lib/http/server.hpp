#pragma once

#include <chrono>
#include <utility>

#include "core/result.hpp"
#include "http/connection.hpp"
#include "http/head.hpp"
#include "net/types.hpp"
#include "net/worker.hpp"

namespace oai::http {

struct ServerTimeouts {
    std::chrono::nanoseconds head = std::chrono::seconds{15};  ///< from a request's first moment to the end of its head
    std::chrono::nanoseconds idle = std::chrono::seconds{75};  ///< between two requests of a connection
};

/// The life of a server's connection: heads in, one request after the other, until one side has enough.
///
/// `Service` has
///   `Awaitable<bool> handle(Connection&, RequestHead&)`: answers, body read or not; true when the connection stands at
///   its next head; `Awaitable<void> refuse(Connection&, const core::Error&)`: answers a head that cannot be read; the
///   connection closes then.
template <class Service>
net::Awaitable<void> serve_connection(net::Worker& worker, Connection& connection, Service& service,
                                      ServerTimeouts timeouts) {
    RequestHead head;
    // One deadline covers waiting for a request and reading its head: `idle` for a connection that is kept, `head` for
    // a new one. A slow head cannot last longer than that, and no timer is moved per read.
    std::chrono::nanoseconds patience = timeouts.head;
    for (;;) {
        if (patience.count() != 0) connection.stream->set_deadline(std::chrono::steady_clock::now() + patience);
        const core::Result<bool> got = co_await read_request_head(connection, head);
        connection.stream->set_deadline(net::Stream::kNever);
        if (!got) {
            if (connection.stream->is_open()) co_await service.refuse(connection, got.error());
            break;  // whatever follows in the buffer cannot be told from a request: it is dropped
        }
        if (!*got) break;
        const bool keep = co_await service.handle(connection, head);
        if (!keep || worker.stopping()) break;
        if (connection.in.empty()) connection.in.release();
        patience = timeouts.idle;
    }
    if (!worker.stopping()) co_await close_gently(connection);
}

/// The same for a service that has no use for the connection outside of these calls.
template <class Service>
net::Awaitable<void> serve_connection(net::Worker& worker, net::Socket socket, Service& service,
                                      ServerTimeouts timeouts) {
    Connection connection(worker, std::move(socket));
    co_await serve_connection(worker, connection, service, timeouts);
}

}  // namespace oai::http
