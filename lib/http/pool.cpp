#include "http/pool.hpp"

#include <functional>
#include <string>
#include <utility>

#include "net/connect.hpp"

namespace oai::http {

using core::Result;
using net::Awaitable;

namespace {

/// A connection that rested longer is asked whether it still stands: one system call, so not for those in constant use.
constexpr std::chrono::milliseconds kTrusted{500};

core::Error tls_failure(const Target& target, const net::Stream& stream) {
    const std::string reason = stream.timed_out()                          ? "no TLS handshake in time"
                               : stream.error() == boost::asio::error::eof ? "the other side closed it"
                                                                           : stream.error().message();
    return core::Error{.code = core::Code::tls_failed,
                       .source = core::Source::upstream,
                       .retryable = true,
                       .detail = "cannot connect securely to " + target.url.host + ":" +
                                 std::to_string(target.url.port) + ": " + reason};
}

/// Tells proxies apart, also two users of one: their ways out may differ. The password only as a hash: keys get logged.
std::string way_through(const net::Proxy& proxy) {
    return " through " + proxy.name() + " as " + proxy.user + "#" +
           std::to_string(std::hash<std::string>{}(proxy.password));
}

}  // namespace

Target::Target(Url where, std::shared_ptr<const net::TlsClientContext> secured,
               std::shared_ptr<const net::Proxy> through)
    : url(std::move(where)),
      proxy(std::move(through)),
      authority(url.authority()),
      origin(url.scheme + "://" + url.host + ":" + std::to_string(url.port)) {
    if (proxy) origin += way_through(*proxy);
    if (!url.tls()) return;
    tls = secured ? std::move(secured) : net::TlsClientContext::system();
    origin += "#" + std::to_string(tls->id());
}

std::unique_ptr<Connection> Pool::take(const Target& target, core::TimePoint now) {
    const auto found = shelves_.find(target.origin);
    if (found == shelves_.end()) return nullptr;
    auto& idle = found->second.idle;
    while (!idle.empty()) {
        std::unique_ptr<Connection> connection = std::move(idle.back());
        idle.pop_back();
        const auto rested = now - connection->idle_since;
        if (rested > limits_.idle_time || (rested > kTrusted && connection->stream->is_stale())) continue;
        connection->reused = true;
        return connection;
    }
    return nullptr;
}

Awaitable<Result<std::unique_ptr<Connection>>> Pool::open(const Target& target, core::TimePoint deadline) {
    const net::Destination to{.host = target.url.host, .port = target.url.port, .proxy = target.proxy};
    Result<std::unique_ptr<net::Stream>> stream = co_await net::connect(worker_, to, deadline);
    if (!stream) co_return stream.error();
    if (target.tls) {
        (*stream)->set_deadline(deadline);
        const bool secured = co_await (*stream)->handshake_client(target.tls, target.url.host);
        if (!secured) co_return tls_failure(target, **stream);
        (*stream)->set_deadline(net::Stream::kNever);
    }
    auto connection = std::make_unique<Connection>(worker_, std::move(*stream));
    connection->shelf = &shelves_[target.origin];
    co_return connection;
}

void Pool::give(std::unique_ptr<Connection> connection) {
    if (!connection->stream->is_open() || connection->stream->timed_out() || !connection->in.empty()) return;
    connection->stream->set_deadline(net::Stream::kNever);
    connection->in.release();
    connection->idle_since = connection->read_at;
    auto& idle = connection->shelf->idle;
    if (idle.size() < limits_.idle_per_origin) idle.push_back(std::move(connection));
    if (++gives_ % 1024 == 0) clean();
}

void Pool::clean() {
    const core::TimePoint oldest = std::chrono::steady_clock::now() - limits_.idle_time;
    for (auto& [origin, shelf] : shelves_)
        std::erase_if(shelf.idle, [&](const std::unique_ptr<Connection>& c) { return c->idle_since < oldest; });
}

void Pool::clear() noexcept {
    for (auto& [origin, shelf] : shelves_) shelf.idle.clear();
}

}  // namespace oai::http
