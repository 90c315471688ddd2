#include "net/proxy.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <openssl/evp.h>

#include "core/units.hpp"
#include "net/buffer.hpp"
#include "net/worker.hpp"

namespace oai::net {

using core::Result;

namespace {

/// Room for the head that answers a CONNECT; it lies in one block of the worker's buffers.
constexpr std::size_t kMostHead = BufferPool::kSmallest - Buffer::kPadding;

core::Error failure(std::string why) {
    return core::Error{.code = core::Code::connect_failed,
                       .source = core::Source::upstream,
                       .retryable = true,
                       .detail = std::move(why)};
}

core::Error bad_url(std::string_view what) {
    return core::Error{
        .code = core::Code::invalid_argument,
        .detail =
            "a proxy must be like http://host:3128 or socks5://user:password@host:1080; this one " + std::string(what)};
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = core::to_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// %3A -> ':'. Empty when an escape is wrong, and when a control character is in it: it would end a header line.
std::optional<std::string> decode(std::string_view text) {
    std::string decoded;
    for (std::size_t at = 0; at < text.size(); ++at) {
        char c = text[at];
        if (c == '%') {
            if (at + 2 >= text.size()) return std::nullopt;
            const int high = hex_digit(text[at + 1]), low = hex_digit(text[at + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            c = static_cast<char>(high * 16 + low);
            at += 2;
        }
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return std::nullopt;
        decoded += c;
    }
    return decoded;
}

Result<void> read_credentials(std::string_view text, Proxy& proxy) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return bad_url("has a user without a password");
    std::optional<std::string> user = decode(text.substr(0, colon));
    std::optional<std::string> password = decode(text.substr(colon + 1));
    if (!user || !password)
        return bad_url("holds a user or password with a wrong escape or a control character; write % as %25");
    if (user->empty()) return bad_url("has an empty user");
    if (proxy.kind == Proxy::Kind::http_connect && user->find(':') != std::string::npos)
        return bad_url("has a colon in its user, which Basic cannot say");
    if (proxy.kind == Proxy::Kind::socks5 && (user->size() > 255 || password->empty() || password->size() > 255))
        return bad_url("has a user or password that is not 1 to 255 bytes long");
    proxy.user = std::move(*user);
    proxy.password = std::move(*password);
    return {};
}

Result<void> read_place(std::string_view text, Proxy& proxy) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || text.ends_with(']')) return bad_url("has no port");
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (bracketed) host = host.substr(1, host.size() - 2);
    boost::system::error_code no_ipv6;
    boost::asio::ip::make_address_v6(std::string(host), no_ipv6);
    if (bracketed != !no_ipv6) return bad_url("has a host that is neither a name nor an address ([::1] for IPv6)");
    const bool name = std::ranges::all_of(host, [](char c) {
        const char lower = core::to_lower(c);
        return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    });
    if (host.empty() || host.size() > 253 || (!bracketed && !name))
        return bad_url("has a host that is neither a name nor an address ([::1] for IPv6)");
    const Result<std::uint64_t> port = core::parse_unsigned(text.substr(colon + 1));
    if (!port || *port == 0 || *port > 65535) return bad_url("has a port that is not a number from 1 to 65535");
    proxy.host = core::to_lower(host);
    proxy.port = static_cast<std::uint16_t>(*port);
    return {};
}

std::string authority(const std::string& host, std::uint16_t port) {
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string base64(const std::string& text) {
    std::string encoded(4 * ((text.size() + 2) / 3) + 1, '\0');
    const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                  reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    encoded.resize(static_cast<std::size_t>(n));
    return encoded;
}

/// Why a read or a write came to nothing.
core::Error lost(const Stream& stream) {
    if (stream.timed_out()) return failure("the proxy did not answer in time");
    return failure("the proxy closed the connection before it was through");
}

/// "HTTP/1.1 407 Proxy…" -> 407.
std::optional<int> status_of(std::string_view head) {
    if (head.size() < 13 || !head.starts_with("HTTP/1.") || head[8] != ' ') return std::nullopt;
    if (head[12] != ' ' && head[12] != '\r' && head[12] != '\n') return std::nullopt;
    const Result<std::uint64_t> status = core::parse_unsigned(head.substr(9, 3));
    if (!status || *status < 100) return std::nullopt;
    return static_cast<int>(*status);
}

Result<void> judge_connect_answer(std::string_view head, std::size_t bytes_behind) {
    const std::optional<int> status = status_of(head);
    if (!status) return failure("the proxy does not answer in HTTP");
    if (*status == 407) return failure("the proxy answered 407: it wants other credentials");
    if (*status < 200 || *status > 299) return failure("the proxy answered " + std::to_string(*status) + " to CONNECT");
    // No protocol of ours lets the other side speak first, so these bytes are nobody's.
    if (bytes_behind != 0) return failure("the proxy sent bytes of its own through the tunnel");
    return {};
}

Awaitable<Result<void>> http_connect(Stream& stream, const Proxy& proxy, std::string host, std::uint16_t port) {
    const std::string place = authority(host, port);
    std::string request = "CONNECT " + place + " HTTP/1.1\r\nhost: " + place + "\r\n";
    if (!proxy.user.empty())
        request += "proxy-authorization: Basic " + base64(proxy.user + ":" + proxy.password) + "\r\n";
    request += "\r\n";
    const Pieces pieces{request};
    const bool written = co_await stream.write(pieces);
    if (!written) co_return lost(stream);
    Buffer in(stream.worker().buffers());
    in.reserve(kMostHead);
    for (;;) {
        const std::size_t n = co_await stream.read_some(in.writable());
        if (n == 0) co_return lost(stream);
        in.commit(n);
        const std::string_view bytes = in.readable();
        const std::size_t end = bytes.find("\r\n\r\n");
        if (end != std::string_view::npos) co_return judge_connect_answer(bytes, bytes.size() - end - 4);
        if (bytes.size() >= 5 && !bytes.starts_with("HTTP/")) co_return failure("the proxy does not answer in HTTP");
        if (in.writable().empty()) co_return failure("the head of the proxy's answer is too long");
    }
}

using Bytes = std::vector<unsigned char>;

void append(Bytes& to, std::string_view text) {
    to.insert(to.end(), text.begin(), text.end());
}

/// A length and the text: texts of the protocol have up to 255 bytes.
void append_counted(Bytes& to, std::string_view text) {
    to.push_back(static_cast<unsigned char>(text.size()));
    append(to, text);
}

Stream::Write send_bytes(Stream& stream, const Bytes& bytes) {
    const Pieces pieces{std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())};
    return stream.write(pieces);
}

/// Exactly `n` bytes, since what follows is the tunnel's; empty when they did not come.
Awaitable<Bytes> receive_bytes(Stream& stream, std::size_t n) {
    Bytes bytes(n);
    std::size_t got = 0;
    while (got < n) {
        const std::span<char> rest(reinterpret_cast<char*>(bytes.data()) + got, n - got);
        const std::size_t more = co_await stream.read_some(rest);
        if (more == 0) co_return Bytes{};
        got += more;
    }
    co_return bytes;
}

constexpr unsigned char kVersion = 5, kNoCredentials = 0, kPassword = 2, kNoMethod = 0xFF, kConnect = 1;
constexpr unsigned char kIpv4 = 1, kName = 3, kIpv6 = 4;

std::string refusal(unsigned char reply) {
    constexpr std::array<const char*, 9> kMeanings{"",
                                                   "general failure",
                                                   "its rules forbid it",
                                                   "network unreachable",
                                                   "host unreachable",
                                                   "connection refused",
                                                   "TTL expired",
                                                   "it does not know CONNECT",
                                                   "it does not know this kind of address"};
    const std::string meaning = reply < kMeanings.size() ? kMeanings[reply] : "for no known reason";
    return "the proxy answered " + std::to_string(reply) + " to CONNECT (" + meaning + ")";
}

Awaitable<Result<void>> socks_authenticate(Stream& stream, const Proxy& proxy) {
    const bool credentials = !proxy.user.empty();
    Bytes greeting{kVersion, 1, kNoCredentials};
    if (credentials) greeting = {kVersion, 2, kNoCredentials, kPassword};
    const bool greeted = co_await send_bytes(stream, greeting);
    if (!greeted) co_return lost(stream);
    const Bytes method = co_await receive_bytes(stream, 2);
    if (method.empty()) co_return lost(stream);
    if (method[0] != kVersion) co_return failure("the proxy does not answer in SOCKS 5");
    if (method[1] == kNoCredentials) co_return Result<void>{};
    if (method[1] == kNoMethod && !credentials) co_return failure("the proxy wants credentials");
    if (method[1] != kPassword || !credentials) co_return failure("the proxy wants another way to authenticate");
    Bytes login{1};
    append_counted(login, proxy.user);
    append_counted(login, proxy.password);
    const bool sent = co_await send_bytes(stream, login);
    if (!sent) co_return lost(stream);
    const Bytes verdict = co_await receive_bytes(stream, 2);
    if (verdict.empty()) co_return lost(stream);
    if (verdict[1] != 0) co_return failure("the proxy wants other credentials");
    co_return Result<void>{};
}

Bytes socks_request(const std::string& host, std::uint16_t port) {
    Bytes request{kVersion, kConnect, 0};
    boost::system::error_code no_address;
    const IpAddress address = boost::asio::ip::make_address(host, no_address);
    if (no_address) {
        request.push_back(kName);
        append_counted(request, host);
    } else if (address.is_v4()) {
        request.push_back(kIpv4);
        for (const unsigned char byte : address.to_v4().to_bytes()) request.push_back(byte);
    } else {
        request.push_back(kIpv6);
        for (const unsigned char byte : address.to_v6().to_bytes()) request.push_back(byte);
    }
    request.push_back(static_cast<unsigned char>(port >> 8));
    request.push_back(static_cast<unsigned char>(port & 0xFF));
    return request;
}

Awaitable<Result<void>> socks_connect(Stream& stream, const Proxy& proxy, std::string host, std::uint16_t port) {
    if (host.size() > 255) co_return failure("the host's name is longer than SOCKS 5 can say");
    Result<void> known = co_await socks_authenticate(stream, proxy);
    if (!known) co_return known;
    const Bytes request = socks_request(host, port);
    const bool sent = co_await send_bytes(stream, request);
    if (!sent) co_return lost(stream);
    // The fifth byte is the length of a name or the first byte of an address: with it the rest is known.
    const Bytes reply = co_await receive_bytes(stream, 5);
    if (reply.empty()) co_return lost(stream);
    if (reply[0] != kVersion) co_return failure("the proxy does not answer in SOCKS 5");
    if (reply[1] != 0) co_return failure(refusal(reply[1]));
    std::size_t rest = 2;  // the port
    if (reply[3] == kIpv4) {
        rest += 3;
    } else if (reply[3] == kIpv6) {
        rest += 15;
    } else if (reply[3] == kName) {
        rest += reply[4];
    } else {
        co_return failure("the proxy does not answer in SOCKS 5");
    }
    const Bytes bound = co_await receive_bytes(stream, rest);
    if (bound.empty()) co_return lost(stream);
    co_return Result<void>{};
}

}  // namespace

std::string Proxy::name() const {
    return (kind == Kind::socks5 ? "socks5://" : "http://") + authority(host, port);
}

Result<Proxy> parse_proxy_url(std::string_view text) {
    Proxy proxy;
    const std::size_t separator = text.find("://");
    const std::string scheme = core::to_lower(text.substr(0, std::min(separator, text.size())));
    if (separator == std::string_view::npos || (scheme != "http" && scheme != "socks5"))
        return bad_url("begins with neither http:// nor socks5://");
    if (scheme == "socks5") proxy.kind = Proxy::Kind::socks5;
    std::string_view rest = text.substr(separator + 3);
    if (rest.ends_with('/')) rest.remove_suffix(1);
    const std::size_t at = rest.rfind('@');
    if (at != std::string_view::npos) {
        if (Result<void> read = read_credentials(rest.substr(0, at), proxy); !read) return read.error();
        rest.remove_prefix(at + 1);
    }
    if (Result<void> read = read_place(rest, proxy); !read) return read.error();
    return proxy;
}

Awaitable<Result<void>> open_tunnel(Stream& stream, const Proxy& proxy, std::string host, std::uint16_t port) {
    if (proxy.kind == Proxy::Kind::socks5) return socks_connect(stream, proxy, std::move(host), port);
    return http_connect(stream, proxy, std::move(host), port);
}

}  // namespace oai::net
