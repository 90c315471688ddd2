#include "net/connect.hpp"

#include <utility>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "net/happy_eyeballs.hpp"

namespace oai::net {

using core::Result;

namespace {

using Connected = Result<std::unique_ptr<Stream>>;

core::Error failure(const Destination& to, const core::Error& why) {
    core::Error error = why;
    error.detail = "cannot connect to " + to.host + ":" + std::to_string(to.port);
    if (to.proxy) error.detail += " through the proxy " + to.proxy->name();
    error.detail += ": " + why.detail;
    return error;
}

/// To a host of any kind, straight.
Awaitable<Connected> dial(Worker& worker, std::string host, std::uint16_t port, core::TimePoint deadline,
                          Resolver& resolver) {
    std::vector<TcpEndpoint> endpoints;
    boost::system::error_code no_address;
    const IpAddress literal = boost::asio::ip::make_address(host, no_address);
    if (no_address) {
        const Result<std::vector<IpAddress>> found = co_await resolver.resolve(worker, host, deadline);
        if (!found) co_return found.error();
        for (const IpAddress& address : by_turns(*found)) endpoints.emplace_back(address, port);
    } else {
        endpoints.emplace_back(literal, port);
    }
    Connected stream = co_await connect_first(worker, std::move(endpoints), deadline);
    co_return stream;
}

}  // namespace

Awaitable<Connected> connect(Worker& worker, Destination to, core::TimePoint deadline, Resolver& resolver) {
    const std::string next_host = to.proxy ? to.proxy->host : to.host;
    const std::uint16_t next_port = to.proxy ? to.proxy->port : to.port;
    Connected stream = co_await dial(worker, next_host, next_port, deadline, resolver);
    if (!stream) co_return failure(to, stream.error());
    if (to.proxy) {
        (*stream)->set_deadline(deadline);
        const Result<void> opened = co_await open_tunnel(**stream, *to.proxy, to.host, to.port);
        if (!opened) co_return failure(to, opened.error());
        (*stream)->set_deadline(Stream::kNever);
    }
    co_return stream;
}

Awaitable<Connected> connect(Worker& worker, std::string host, std::uint16_t port, core::TimePoint deadline) {
    return connect(worker, Destination{.host = std::move(host), .port = port}, deadline);
}

}  // namespace oai::net
