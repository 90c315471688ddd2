#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/result.hpp"
#include "net/address.hpp"
#include "net/descriptors.hpp"
#include "net/types.hpp"
#include "net/worker.hpp"

namespace oai::net {

/// One listening socket of one worker. With SO_REUSEPORT each worker has its own on the same port and the kernel
/// spreads connections, so no accepted socket ever changes threads.
///
/// Upgrade: the next process takes the same sockets (`native_handle`, handover.hpp, `adopt`). Each has a queue of its
/// own, and a queue dies with the last copy of its socket: every one must be handed over before this one is closed.
class Listener {
public:
    using OnAccept = std::function<void(Socket)>;

    /// Binds and listens. A taken port is an error that names it. Port 0 lets the system choose; `port()` then tells.
    static core::Result<std::unique_ptr<Listener>> open(Worker& worker, const ListenAddress& address, bool share_port);
    /// Takes over a socket that listens already. Anything but a listening TCP socket is an error that says so.
    static core::Result<std::unique_ptr<Listener>> adopt(Worker& worker, Descriptor socket);
    ~Listener() { close(); }

    std::uint16_t port() const noexcept { return address_.port; }
    /// Where it listens, with the port the system chose.
    const ListenAddress& address() const noexcept { return address_; }
    /// To be sent to the next process; stays this listener's. Not after `close`.
    int native_handle() noexcept { return acceptor_.native_handle(); }

    /// On the worker: accepts until closed, calling `on_accept` for each connection. Out of descriptors: waits a moment
    /// and goes on.
    void start(OnAccept on_accept);
    /// On the worker. Other copies of the socket, and the connections in its queue, are not touched.
    void close() noexcept;

private:
    Listener(Worker& worker, Acceptor acceptor, ListenAddress address);
    static core::Result<std::unique_ptr<Listener>> of(Worker& worker, Acceptor acceptor);
    Awaitable<void> accept_loop(OnAccept on_accept);

    Worker& worker_;
    Acceptor acceptor_;
    ListenAddress address_;
};

/// Deals `sockets` out to `workers`, so that each socket has a worker and each worker a socket: with fewer workers than
/// sockets some accept from several, with more some share one (each then has a copy, and accepts what it is first at).
/// One list per worker, none of them empty. Precondition: at least one of both.
core::Result<std::vector<std::vector<std::unique_ptr<Listener>>>> adopt_all(std::span<Worker* const> workers,
                                                                            std::vector<Descriptor> sockets);

}  // namespace oai::net
