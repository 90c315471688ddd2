#include "net/listener.hpp"

#include <algorithm>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "core/log.hpp"

namespace oai::net {

namespace asio = boost::asio;

namespace {

core::Error not_adopted(const std::string& why) {
    return core::Error{.code = core::Code::io_failed, .detail = "cannot take over a listening socket: " + why};
}

int option_of(int socket, int name) noexcept {
    int value = -1;
    socklen_t size = sizeof value;
    return ::getsockopt(socket, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

}  // namespace

Listener::Listener(Worker& worker, Acceptor acceptor, ListenAddress address)
    : worker_(worker), acceptor_(std::move(acceptor)), address_(std::move(address)) {}

core::Result<std::unique_ptr<Listener>> Listener::open(Worker& worker, const ListenAddress& address, bool share_port) {
    const TcpEndpoint endpoint(asio::ip::make_address(address.host), address.port);
    Acceptor acceptor(worker.executor());
    boost::system::error_code failed;
    const auto check = [&](const char* step) -> core::Result<void> {
        if (!failed) return {};
        return core::Error{.code = core::Code::io_failed,
                           .detail = "cannot listen on " + address.text() + ": " + step + ": " + failed.message()};
    };
    acceptor.open(endpoint.protocol(), failed);
    if (auto ok = check("open"); !ok) return ok.error();
    acceptor.set_option(asio::socket_base::reuse_address(true), failed);
    if (auto ok = check("set SO_REUSEADDR"); !ok) return ok.error();
    if (share_port) {
        const int on = 1;
        if (::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
            failed = boost::system::error_code(errno, boost::system::system_category());
        if (auto ok = check("set SO_REUSEPORT"); !ok) return ok.error();
    }
    acceptor.bind(endpoint, failed);
    if (auto ok = check("bind"); !ok) return ok.error();
    acceptor.listen(4096, failed);
    if (auto ok = check("listen"); !ok) return ok.error();
    return of(worker, std::move(acceptor));
}

core::Result<std::unique_ptr<Listener>> Listener::adopt(Worker& worker, Descriptor socket) {
    const int domain = option_of(socket.get(), SO_DOMAIN);
    if ((domain != AF_INET && domain != AF_INET6) || option_of(socket.get(), SO_TYPE) != SOCK_STREAM)
        return not_adopted("it is no TCP socket");
    if (option_of(socket.get(), SO_ACCEPTCONN) != 1) return not_adopted("it does not listen");
    if (::fcntl(socket.get(), F_SETFD, FD_CLOEXEC) != 0) return not_adopted("it cannot be closed on exec");
    Acceptor acceptor(worker.executor());
    boost::system::error_code failed;
    acceptor.assign(domain == AF_INET ? asio::ip::tcp::v4() : asio::ip::tcp::v6(), socket.get(), failed);
    if (failed) return not_adopted(failed.message());
    socket.release();
    return of(worker, std::move(acceptor));
}

core::Result<std::unique_ptr<Listener>> Listener::of(Worker& worker, Acceptor acceptor) {
    boost::system::error_code failed;
    const TcpEndpoint local = acceptor.local_endpoint(failed);
    if (failed)
        return core::Error{.code = core::Code::io_failed,
                           .detail = "a listening socket does not know its address: " + failed.message()};
    ListenAddress address{local.address().to_string(), local.port()};
    return std::unique_ptr<Listener>(new Listener(worker, std::move(acceptor), std::move(address)));
}

void Listener::start(OnAccept on_accept) {
    worker_.spawn(accept_loop(std::move(on_accept)));
}

void Listener::close() noexcept {
    if (!acceptor_.is_open()) return;
    // Not acceptor_.close(): it leaves the socket in the worker's epoll set and counts on the kernel, which keeps it
    // there as long as anybody has a copy, and would wake this worker for connections of the next process.
    boost::system::error_code ignored;
    ::close(acceptor_.release(ignored));
}

Awaitable<void> Listener::accept_loop(OnAccept on_accept) {
    while (acceptor_.is_open()) {
        boost::system::error_code failed;
        Socket socket = co_await acceptor_.async_accept(use_awaitable(failed));
        if (!failed) {
            on_accept(std::move(socket));
            continue;
        }
        if (!acceptor_.is_open()) break;
        if (failed == boost::system::errc::too_many_files_open ||
            failed == boost::system::errc::too_many_files_open_in_system ||
            failed == boost::system::errc::not_enough_memory) {
            // The queue stays full meanwhile; accepting again at once would only burn a core.
            core::log(core::LogLevel::error, "cannot accept a connection", {{"reason", failed.message()}});
            Timer pause(worker_.executor());
            pause.expires_after(std::chrono::milliseconds{100});
            co_await pause.async_wait(use_awaitable(failed));
        }
    }
}

core::Result<std::vector<std::vector<std::unique_ptr<Listener>>>> adopt_all(std::span<Worker* const> workers,
                                                                            std::vector<Descriptor> sockets) {
    std::vector<std::vector<std::unique_ptr<Listener>>> dealt(workers.size());
    for (std::size_t i = 0; i < std::max(workers.size(), sockets.size()); ++i) {
        core::Result<Descriptor> copy = sockets[i % sockets.size()].duplicate();
        if (!copy) return copy.error();
        const std::size_t to = i % workers.size();
        core::Result<std::unique_ptr<Listener>> listener = Listener::adopt(*workers[to], std::move(*copy));
        if (!listener) return listener.error();
        dealt[to].push_back(std::move(*listener));
    }
    return dealt;
}

}  // namespace oai::net
