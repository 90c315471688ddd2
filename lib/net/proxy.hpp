#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "net/stream.hpp"
#include "net/types.hpp"

namespace oai::net {

/// A proxy on the way out. It gets the host's name, not its address: names are resolved where the proxy is.
struct Proxy {
    enum class Kind { http_connect, socks5 };

    Kind kind = Kind::http_connect;
    std::string host;  ///< an IPv6 address without its brackets
    std::uint16_t port = 0;
    std::string user = {};
    std::string password = {};

    /// "socks5://127.0.0.1:1080": for people. Never the credentials.
    std::string name() const;
};

/// `http://[user:password@]host:port` (HTTP CONNECT, Basic) or `socks5://[user:password@]host:port` (RFC 1928 and
/// 1929). A blank, '@', ':', '/' or '%' in a user or password is written as %20 and so on. Errors: invalid_argument;
/// they say what would be right and repeat nothing of the text.
core::Result<Proxy> parse_proxy_url(std::string_view text);

/// Asks the proxy at the other end of `stream` for a connection to host and port. From then on the stream speaks to
/// that host. Bounded by the stream's deadline; what the proxy answers is bounded too. Failure: `connect_failed`,
/// retryable, since nothing reached the host; the detail is the reason alone, with the proxy's status and none of its
/// text.
Awaitable<core::Result<void>> open_tunnel(Stream& stream, const Proxy& proxy, std::string host, std::uint16_t port);

}  // namespace oai::net
