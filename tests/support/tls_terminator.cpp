#include "support/tls_terminator.hpp"

#include <utility>
#include <vector>

#include "net/connect.hpp"

namespace oai::test {

TlsTerminator::TlsTerminator(const Identity& identity, std::uint16_t backend)
    : context_(*net::TlsServerContext::make(identity.certificate, identity.key)),
      backend_(backend),
      listener_(*net::Listener::open(worker_, net::ListenAddress{"127.0.0.1", 0}, false)) {
    listener_->start([this](net::Socket socket) { worker_.spawn(serve(std::move(socket))); });
    worker_.start();
}

TlsTerminator::~TlsTerminator() {
    worker_.post([this] { listener_->close(); });
    worker_.stop();
    worker_.join();
}

net::Awaitable<void> TlsTerminator::serve(net::Socket socket) {
    auto front = std::make_shared<net::Stream>(worker_, std::move(socket));
    const bool secured = co_await front->handshake_server(context_);
    if (!secured) co_return;
    ++connections_;
    const std::string host = "127.0.0.1";
    auto opened = co_await net::connect(worker_, host, backend_, net::Stream::kNever);
    if (!opened) co_return;
    std::shared_ptr<net::Stream> back = std::move(*opened);
    worker_.spawn(copy(front, back));
    co_await copy(back, front);
}

net::Awaitable<void> TlsTerminator::copy(std::shared_ptr<net::Stream> from, std::shared_ptr<net::Stream> to) {
    std::vector<char> chunk(16 * 1024);
    for (;;) {
        const std::size_t n = co_await from->read_some(chunk);
        if (n == 0) break;
        const net::Pieces pieces{std::string_view(chunk.data(), n)};
        const bool written = co_await to->write(pieces);
        if (!written) break;
    }
    to->shutdown_send();
}

}  // namespace oai::test
