#include "net/connect.hpp"

#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

namespace oai::net {

namespace asio = boost::asio;

namespace {

using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;
using Resolver = asio::ip::basic_resolver<asio::ip::tcp, Executor>;

core::Error failure(const std::string& host, std::uint16_t port, const std::string& why) {
    return core::Error{.code = core::Code::connect_failed,
                       .source = core::Source::upstream,
                       .retryable = true,
                       .detail = "cannot connect to " + host + ":" + std::to_string(port) + ": " + why};
}

/// Addresses of `host`. A literal address needs no resolver, and no thread.
Awaitable<std::vector<TcpEndpoint>> resolve(Worker& worker, const std::string& host, std::uint16_t port,
                                            core::TimePoint deadline, boost::system::error_code& failed) {
    std::vector<TcpEndpoint> endpoints;
    const auto literal = asio::ip::make_address(host, failed);
    if (!failed) {
        endpoints.emplace_back(literal, port);
        co_return endpoints;
    }
    // Shared: the timer's handler may already be queued when this frame is gone.
    const auto resolver = std::make_shared<Resolver>(worker.executor());
    Timer late(worker.executor(), deadline);
    late.async_wait([resolver](const boost::system::error_code& cancelled) {
        if (!cancelled) resolver->cancel();
    });
    const auto found =
        co_await resolver->async_resolve(host, std::to_string(port), asio::redirect_error(use_awaitable, failed));
    late.cancel();
    for (const auto& entry : found) endpoints.push_back(entry.endpoint());
    co_return endpoints;
}

}  // namespace

Awaitable<core::Result<std::unique_ptr<Stream>>> connect(Worker& worker, std::string host, std::uint16_t port,
                                                         core::TimePoint deadline) {
    boost::system::error_code failed;
    const std::vector<TcpEndpoint> endpoints = co_await resolve(worker, host, port, deadline, failed);
    if (endpoints.empty()) co_return failure(host, port, failed ? failed.message() : "no address");
    for (const TcpEndpoint& endpoint : endpoints) {
        Socket socket(worker.executor());
        socket.open(endpoint.protocol(), failed);
        if (failed) continue;
        auto stream = std::make_unique<Stream>(worker, std::move(socket));
        stream->set_deadline(deadline);
        if (co_await stream->connect(endpoint)) {
            stream->set_deadline(Stream::kNever);
            co_return stream;
        }
        if (stream->timed_out()) co_return failure(host, port, "no answer in time");
        failed = stream->error();
        if (worker.stopping()) break;
    }
    co_return failure(host, port, failed.message());
}

}  // namespace oai::net
