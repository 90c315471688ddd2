#include "http/url.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstddef>
#include <utility>

#include "core/units.hpp"
#include "http/chars.hpp"

namespace oai::http {
namespace {

using core::Code;
using core::Error;
using core::Result;

constexpr std::string_view kRight = "; write it like https://api.example.com or http://127.0.0.1:9180/base";

Error bad_url(std::string_view what) {
    return {.code = Code::invalid_argument, .detail = std::string("this URL ").append(what).append(kRight)};
}

Error bad_request(std::string detail, std::string_view param = {}) {
    return {.code = Code::invalid_request,
            .source = core::Source::downstream,
            .detail = std::move(detail),
            .param = std::string(param)};
}

/// By the rule of browsers: then it is an IPv4 address or nothing, and never a name.
bool ends_in_number(std::string_view host) {
    const std::string_view last = host.substr(host.rfind('.') + 1);  // npos + 1 is 0
    if (std::all_of(last.begin(), last.end(), is_digit)) return true;
    return last.size() >= 2 && last.substr(0, 2) == "0x" && all_chars(last.substr(2), kHexDigit);
}

bool is_name(std::string_view host) {
    if (host.size() > 253) return false;
    while (true) {
        const std::size_t dot = std::min(host.find('.'), host.size());
        const std::string_view label = host.substr(0, dot);
        if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
        if (!all_chars(label, kHost) || label.find('~') != std::string_view::npos) return false;
        if (dot == host.size()) return true;
        host.remove_prefix(dot + 1);
    }
}

Result<void> read_ipv6(std::string_view text, Url& url) {
    std::array<char, INET6_ADDRSTRLEN> shortest{};
    in6_addr address{};
    const std::string copy(text);
    if (inet_pton(AF_INET6, copy.c_str(), &address) != 1)
        return bad_url("holds in brackets what is no IPv6 address, without a zone");
    url.host = inet_ntop(AF_INET6, &address, shortest.data(), shortest.size());
    return {};
}

Result<void> read_host(std::string_view text, Url& url) {
    url.host = core::to_lower(text);
    if (text.empty()) return bad_url("has no host");
    if (!is_name(url.host))
        return bad_url("has the host \"" + url.host + "\", which is neither a DNS name nor an address");
    in_addr address{};
    if (ends_in_number(url.host) && inet_pton(AF_INET, url.host.c_str(), &address) != 1)
        return bad_url("has the host \"" + url.host + "\", which is a number but no IPv4 address of four parts");
    return {};
}

Result<void> read_port(std::string_view text, Url& url) {
    const Result<std::uint64_t> port = core::parse_unsigned(text);
    if (!port || *port == 0 || *port > 65535 || text.size() > 5)
        return bad_url("has the port \"" + std::string(text) + "\", which is not a number from 1 to 65535");
    url.port = static_cast<std::uint16_t>(*port);
    return {};
}

Result<void> read_authority(std::string_view text, Url& url) {
    if (text.find('@') != std::string_view::npos)
        return bad_url("holds a user or a password, which would end in logs; give the credential in its own setting");
    std::size_t colon = std::min(text.find(':'), text.size());
    Result<void> read;
    if (text.substr(0, 1) == "[") {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos) return bad_url("has a [ without its ]");
        colon = close + 1;
        if (colon != text.size() && text[colon] != ':') return bad_url("has something between ] and its port");
        read = read_ipv6(text.substr(1, close - 1), url);
    } else {
        if (std::count(text.begin(), text.end(), ':') > 1) return bad_url("needs brackets around an IPv6 address");
        read = read_host(text.substr(0, colon), url);
    }
    if (read && colon != text.size()) read = read_port(text.substr(colon + 1), url);
    return read;
}

/// Empty when an escape is incomplete or wrong.
std::optional<char> escape_at(std::string_view text, std::size_t at) {
    if (at + 2 >= text.size()) return std::nullopt;
    const int high = hex_value(text[at + 1]), low = hex_value(text[at + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    return static_cast<char>(high * 16 + low);
}

/// One segment, decoded, is neither a dot segment nor holds what is structure to somebody else.
bool is_plain_segment(std::string_view segment) {
    std::size_t dots = 0, length = 0;
    bool parameters = false;
    for (std::size_t at = 0; at < segment.size(); ++at) {
        char c = segment[at];
        if (c == '%') {
            const std::optional<char> escaped = escape_at(segment, at);
            if (!escaped || is_char(*escaped, kControl) || *escaped == '\t') return false;
            if (*escaped == '/' || *escaped == '\\' || *escaped == '%') return false;
            c = *escaped;
            at += 2;
        }
        // Servers of the servlet family read "..;x" as "..".
        parameters = parameters || c == ';';
        if (parameters) continue;
        ++length;
        if (c == '.') ++dots;
    }
    return dots != length || dots == 0 || dots > 2;
}

}  // namespace

std::string Url::authority() const {
    std::string text = is_ipv6() ? '[' + host + ']' : host;
    if (port != (tls() ? 443 : 80)) text.append(":").append(std::to_string(port));
    return text;
}

std::string Url::text() const {
    return scheme + "://" + authority() + base_path;
}

Result<Url> parse_url(std::string_view text) {
    if (text.empty()) return bad_url("is empty");
    if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c > '~'; }))
        return bad_url("holds a blank, a control character or a letter beyond ASCII");
    const std::size_t separator = text.find("://");
    if (separator == std::string_view::npos) return bad_url("does not begin with http:// or https://");
    Url url;
    url.scheme = core::to_lower(text.substr(0, separator));
    if (url.scheme != "http" && url.scheme != "https") return bad_url("does not begin with http:// or https://");
    url.port = url.tls() ? 443 : 80;
    text.remove_prefix(separator + 3);

    if (text.find('?') != std::string_view::npos) return bad_url("has a query, which a base URL cannot have");
    if (text.find('#') != std::string_view::npos) return bad_url("has a fragment, which a base URL cannot have");
    const std::size_t slash = std::min(text.find('/'), text.size());
    const Result<void> authority = read_authority(text.substr(0, slash), url);
    if (!authority) return authority.error();
    url.base_path = text.substr(slash);
    if (!url.base_path.empty() && !is_plain_path(url.base_path))
        return bad_url("has a path with . or .. or empty segments, wrong escapes or characters that must be escaped");
    if (!url.base_path.empty() && url.base_path.back() == '/') url.base_path.pop_back();
    return url;
}

bool is_plain_path(std::string_view path) noexcept {
    if (path.empty() || path.front() != '/' || !all_chars(path, kTarget) || path.find('?') != std::string_view::npos)
        return false;
    while (!path.empty()) {
        path.remove_prefix(1);
        const std::size_t slash = std::min(path.find('/'), path.size());
        if (slash == 0 && !path.empty()) return false;
        if (!is_plain_segment(path.substr(0, slash))) return false;
        path.remove_prefix(slash);
    }
    return true;
}

Result<std::string> percent_decode(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '%') {
            decoded += text[at];
            continue;
        }
        const std::optional<char> escaped = escape_at(text, at);
        if (!escaped) return bad_request("a % is not followed by two hex digits; write %25 for the character itself");
        if (is_char(*escaped, kControl)) return bad_request("an escape hides a control character");
        decoded += *escaped;
        at += 2;
    }
    return decoded;
}

Result<std::optional<std::string>> query_parameter(std::string_view query, std::string_view name) {
    const auto decode = [](std::string_view text) {
        std::string blanks(text);
        std::replace(blanks.begin(), blanks.end(), '+', ' ');
        return percent_decode(blanks);
    };
    const std::string quoted = "the query parameter \"" + std::string(name) + "\" ";
    std::optional<std::string> found;
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        const std::size_t equals = std::min(pair.find('='), pair.size());
        const Result<std::string> key = decode(pair.substr(0, equals));
        if (!key) return bad_request("the name of a query parameter is wrong: " + key.error().detail);
        if (pair.empty() || *key != name) continue;
        if (found) return bad_request(quoted + "is given twice", name);
        Result<std::string> value = decode(pair.substr(std::min(equals + 1, pair.size())));
        if (!value) return bad_request(quoted + "is wrong: " + value.error().detail, name);
        found = std::move(*value);
    }
    return found;
}

std::string percent_encode(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                           c == '.' || c == '_' || c == '~';
        if (plain) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}

}  // namespace oai::http
