#include "net/listener.hpp"

#include <string>
#include <sys/socket.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/log.hpp"

namespace oai::net {

namespace asio = boost::asio;

Listener::Listener(Worker& worker, Acceptor acceptor, std::uint16_t port)
    : worker_(worker), acceptor_(std::move(acceptor)), port_(port) {}

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
    const std::uint16_t port = acceptor.local_endpoint(failed).port();
    if (auto ok = check("local endpoint"); !ok) return ok.error();
    return std::unique_ptr<Listener>(new Listener(worker, std::move(acceptor), port));
}

void Listener::start(OnAccept on_accept) {
    worker_.spawn(accept_loop(std::move(on_accept)));
}

void Listener::close() noexcept {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
}

Awaitable<void> Listener::accept_loop(OnAccept on_accept) {
    while (acceptor_.is_open()) {
        boost::system::error_code failed;
        Socket socket = co_await acceptor_.async_accept(asio::redirect_error(use_awaitable, failed));
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
            asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                                       Executor>
                pause(worker_.executor());
            pause.expires_after(std::chrono::milliseconds{100});
            co_await pause.async_wait(asio::redirect_error(use_awaitable, failed));
        }
    }
}

}  // namespace oai::net
