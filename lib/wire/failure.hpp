#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "http/head.hpp"
#include "json/scanner.hpp"

namespace oai::wire {

/// What a provider's refusal means for another attempt, and for the account it came from.
enum class Refusal : std::uint8_t {
    none,        ///< an answer
    request,     ///< the request is at fault: every account would say the same
    credential,  ///< 401, 402, 403: this account's credential or credit
    conflict,    ///< 408, 409: tried again only where the configuration says so
    throttled,   ///< 429: this account has sent enough for now
    overloaded,  ///< 503, 529, "at capacity": it says that nothing was done
    server,      ///< another 5xx
};

std::string_view name_of(Refusal refusal) noexcept;

Refusal refusal_of_status(int status) noexcept;

/// Of an error inside a 200, or inside a stream: by the error's code and type, and by the words providers use where
/// they give neither. `error` is the JSON text of the body or event, or the part of it that holds the error.
Refusal refusal_in(std::string_view error) noexcept;

/// How long an account should rest, by what its provider says. Only windows that are used up count: a reset time beside
/// requests that remain says nothing, and a burst is not a window.
///
/// Read are `retry-after-ms`, `retry-after` (seconds, also with a fraction, or an HTTP date), then, where exhausted,
/// `x-ratelimit-{remaining,reset}-{requests,tokens}` (OpenAI: 6m0s, 1s, 120ms),
/// `anthropic-ratelimit-{requests,tokens,...}-{remaining,reset}` (RFC 3339) and
/// `x-codex-{primary,secondary}-{used-percent,reset-after-seconds}`. What cannot be read is not guessed.
std::optional<std::chrono::milliseconds> rest_of(const http::Fields& fields,
                                                 std::chrono::system_clock::time_point now) noexcept;

/// The same by the body of a refusal, for where the head says nothing: `error.resets_in_seconds`, `error.resets_at`
/// (seconds since 1970, or RFC 3339) or a `retryDelay` ("34s"). A time that is over says nothing. Bodies above 64 KiB
/// are not read.
std::optional<std::chrono::milliseconds> rest_in(json::Padded body, std::chrono::system_clock::time_point now,
                                                 json::Scanner& scanner);

/// `6m0s`, `1s`, `120ms`, `1h2m3.5s`; empty for anything else.
std::optional<std::chrono::milliseconds> parse_reset(std::string_view text) noexcept;
/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 5.6.7, the form that may be sent); empty for anything else.
std::optional<std::chrono::system_clock::time_point> parse_http_date(std::string_view text) noexcept;
/// `2026-11-21T20:15:30Z`, with a fraction or an offset if need be; empty for anything else.
std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text) noexcept;

}  // namespace oai::wire
