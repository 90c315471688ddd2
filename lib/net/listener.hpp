#pragma once

#include <functional>
#include <memory>

#include "core/result.hpp"
#include "net/address.hpp"
#include "net/types.hpp"
#include "net/worker.hpp"

namespace oai::net {

/// One listening socket of one worker. With SO_REUSEPORT each worker has its own on the same port and the kernel
/// spreads connections, so no accepted socket ever changes threads.
class Listener {
public:
    using OnAccept = std::function<void(Socket)>;

    /// Binds and listens. A taken port is an error that names it. Port 0 lets the system choose; `port()` then tells.
    static core::Result<std::unique_ptr<Listener>> open(Worker& worker, const ListenAddress& address, bool share_port);

    std::uint16_t port() const noexcept { return port_; }

    /// On the worker: accepts until closed, calling `on_accept` for each connection. Out of descriptors: waits a moment
    /// and goes on.
    void start(OnAccept on_accept);
    /// On the worker.
    void close() noexcept;

private:
    Listener(Worker& worker, Acceptor acceptor, std::uint16_t port);
    Awaitable<void> accept_loop(OnAccept on_accept);

    Worker& worker_;
    Acceptor acceptor_;
    std::uint16_t port_;
};

}  // namespace oai::net
