#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "net/listener.hpp"
#include "net/stream.hpp"
#include "net/tls.hpp"
#include "net/worker.hpp"
#include "support/authority.hpp"

namespace oai::test {

/// TLS on a loopback port of the system's choice, before a server that speaks none: bytes go through as they are.
class TlsTerminator {
public:
    TlsTerminator(const Identity& identity, std::uint16_t backend);
    ~TlsTerminator();
    TlsTerminator(const TlsTerminator&) = delete;

    std::string url() const { return "https://localhost:" + std::to_string(listener_->port()); }
    /// How many came through their handshake.
    int connections() const noexcept { return connections_; }

private:
    net::Awaitable<void> serve(net::Socket socket);
    static net::Awaitable<void> copy(std::shared_ptr<net::Stream> from, std::shared_ptr<net::Stream> to);

    std::shared_ptr<const net::TlsServerContext> context_;
    std::uint16_t backend_;
    std::atomic<int> connections_{0};
    net::Worker worker_{"terminator"};
    std::unique_ptr<net::Listener> listener_;
};

}  // namespace oai::test
