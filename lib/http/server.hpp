#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include "core/result.hpp"
#include "http/connection.hpp"
#include "http/head.hpp"
#include "net/tls.hpp"
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
///   its next head; `Awaitable<void> refuse(Connection&, const core::Error&)`: answers a head that cannot be read or
///   came too slowly; the connection closes then.
///
/// With `tls` a handshake comes first, within the time of a head. A client that fails it is closed without a word: its
/// own library knows why.
template <class Service>
net::Awaitable<void> serve_connection(net::Worker& worker, Connection& connection, Service& service,
                                      ServerTimeouts timeouts,
                                      std::shared_ptr<const net::TlsServerContext> tls = nullptr) {
    RequestHead head;
    // One deadline covers waiting for a request and reading its head: `idle` for a connection that is kept, `head` for
    // a new one. A slow head cannot last longer than that, and no timer is moved per read.
    std::chrono::nanoseconds patience = timeouts.head;
    if (tls) {
        if (patience.count() != 0) connection.stream->set_deadline(std::chrono::steady_clock::now() + patience);
        const bool secured = co_await connection.stream->handshake_server(tls);
        if (!secured) co_return;
    }
    for (;;) {
        if (patience.count() != 0) connection.stream->set_deadline(std::chrono::steady_clock::now() + patience);
        const core::Result<bool> got = co_await read_request_head(connection, head);
        connection.stream->set_deadline(net::Stream::kNever);  // also lets a 408 out
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
                                      ServerTimeouts timeouts,
                                      std::shared_ptr<const net::TlsServerContext> tls = nullptr) {
    Connection connection(worker, std::move(socket));
    co_await serve_connection(worker, connection, service, timeouts, std::move(tls));
}

}  // namespace oai::http
