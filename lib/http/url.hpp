#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace oai::http {

/// Where an upstream or a gateway is: `http://host[:port][/base/path]`, or https.
struct Url {
    std::string scheme;  ///< "http" or "https"
    std::string host;    ///< lower case; an IPv6 address without its brackets
    std::uint16_t port = 0;
    std::string base_path;  ///< begins with '/' and does not end with one; empty for the root

    bool tls() const noexcept { return scheme == "https"; }
    bool is_ipv6() const noexcept { return host.find(':') != std::string::npos; }
    /// For the Host field: brackets around an IPv6 address, the port only when it is not the scheme's own.
    std::string authority() const;
    /// All of it, in its shortest form.
    std::string text() const;

    friend bool operator==(const Url&, const Url&) = default;
};

/// Strict: no user or password (they would end in logs), no query, no fragment, no blanks or control characters, no dot
/// segments, and no host that only looks like a name but is a number (`http://2130706433`, `http://0x7f.1`: both are
/// 127.0.0.1). Errors: Code::invalid_argument, and they say what would be right. A password is never repeated in the
/// detail.
core::Result<Url> parse_url(std::string_view text);

/// Whether a path means the same to everybody who reads it: begins with '/', valid escapes, no dot segments, no empty
/// segments but the last, and neither a slash, a backslash, a control character nor a percent sign in disguise (%2f,
/// %5c, %00, %25). Ask before a path goes into an upstream's URL.
[[nodiscard]] bool is_plain_path(std::string_view path) noexcept;

/// %41 -> 'A'. An incomplete or wrong escape, and one that hides a control character, is Code::invalid_request.
core::Result<std::string> percent_decode(std::string_view text);

/// 'A b' -> 'A%20b': everything but letters, digits and -._~ is escaped.
std::string percent_encode(std::string_view text);

/// A parameter of `a=1&b=x%20y`: decoded, '+' is a blank. None when it is absent; `Error::param` names it when it is
/// wrong or given twice.
core::Result<std::optional<std::string>> query_parameter(std::string_view query, std::string_view name);

}  // namespace oai::http
