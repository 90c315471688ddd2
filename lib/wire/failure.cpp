#include "wire/failure.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "wire/stream_reader.hpp"

namespace oai::wire {

using std::chrono::milliseconds;
using std::chrono::system_clock;

namespace {

/// Nobody's window is longer than a month; what says so is a mistake.
constexpr std::chrono::hours kLongest{31 * 24};
constexpr double kLongestSeconds = 31 * 86'400.0;
/// Seconds since 1970, in the year 2200: later moments are milliseconds, or nonsense.
constexpr std::int64_t kLatest = 7'258'118'400;

/// A number without a sign, all of `text`.
std::optional<double> parse_number(std::string_view text) noexcept {
    double number = 0;
    if (text.empty() || text.front() == '-' || text.front() == '+') return std::nullopt;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (ec != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
    return number;
}

std::optional<milliseconds> from_seconds(std::optional<double> seconds) noexcept {
    if (!seconds || *seconds > kLongestSeconds) return std::nullopt;
    return milliseconds{static_cast<std::int64_t>(std::ceil(*seconds * 1000))};
}

/// Two or four digits at `at`.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) noexcept {
    int number = 0;
    if (at + count > text.size()) return std::nullopt;
    for (const char c : text.substr(at, count)) {
        if (c < '0' || c > '9') return std::nullopt;
        number = number * 10 + (c - '0');
    }
    return number;
}

std::optional<system_clock::time_point> moment(int year, unsigned month, int day, int hour, int minute,
                                               int second) noexcept {
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
    return std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
           std::chrono::seconds{second};
}

milliseconds until(system_clock::time_point then, system_clock::time_point now) noexcept {
    return std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(then - now));
}

/// The longest of the windows that are used up.
std::optional<milliseconds> exhausted_windows(const http::Fields& fields, system_clock::time_point now) noexcept {
    std::optional<milliseconds> longest;
    const auto consider = [&](std::optional<milliseconds> rest) {
        if (rest && (!longest || *rest > *longest)) longest = rest;
    };
    for (const std::string_view what : {"requests", "tokens"}) {
        const std::string name(what);
        if (fields.value("x-ratelimit-remaining-" + name) == "0")
            consider(parse_reset(fields.value("x-ratelimit-reset-" + name)));
    }
    for (const std::string_view what : {"requests", "tokens", "input-tokens", "output-tokens"}) {
        const std::string name = "anthropic-ratelimit-" + std::string(what);
        if (fields.value(name + "-remaining") != "0") continue;
        if (const auto then = parse_rfc3339(fields.value(name + "-reset"))) consider(until(*then, now));
    }
    for (const std::string_view what : {"primary", "secondary"}) {
        const std::string name = "x-codex-" + std::string(what);
        const std::optional<double> used = parse_number(fields.value(name + "-used-percent"));
        if (used && *used >= 100) consider(from_seconds(parse_number(fields.value(name + "-reset-after-seconds"))));
    }
    return longest;
}

bool holds(std::string_view text, std::initializer_list<std::string_view> words) noexcept {
    return std::ranges::any_of(words, [&](std::string_view w) { return text.find(w) != std::string_view::npos; });
}

}  // namespace

std::string_view name_of(Refusal refusal) noexcept {
    switch (refusal) {
        case Refusal::none: break;
        case Refusal::request: return "request";
        case Refusal::credential: return "credential";
        case Refusal::conflict: return "conflict";
        case Refusal::throttled: return "throttled";
        case Refusal::overloaded: return "overloaded";
        case Refusal::server: return "server_error";
    }
    return "none";
}

Refusal refusal_of_status(int status) noexcept {
    switch (status) {
        case 401:
        case 402:
        case 403: return Refusal::credential;
        case 408:
        case 409: return Refusal::conflict;
        case 429: return Refusal::throttled;
        case 503:
        case 529: return Refusal::overloaded;
        default: break;
    }
    if (status >= 500) return Refusal::server;
    return status >= 400 ? Refusal::request : Refusal::none;
}

Refusal refusal_in(std::string_view error) noexcept {
    // Code before type before words: "rate_limit_exceeded" says more than "invalid_request_error" beside it.
    for (const std::string_view member : {"\"code\"", "\"type\""}) {
        // The event's own type ("error", "response.failed") stands before the error's.
        for (std::size_t at = error.find(member); at != std::string_view::npos; at = error.find(member, at + 1)) {
            const std::string_view rest = error.substr(at);
            const std::string_view word = text_member(rest.substr(0, std::min<std::size_t>(rest.size(), 256)), member);
            if (holds(word, {"overload", "capacity", "unavailable", "slow_down"})) return Refusal::overloaded;
            if (holds(word, {"rate_limit", "quota", "usage_limit", "throttl"})) return Refusal::throttled;
            if (holds(word, {"api_key", "authentication", "permission", "billing", "account"}))
                return Refusal::credential;
            if (holds(word, {"server_error", "api_error", "internal", "timeout"})) return Refusal::server;
            if (holds(word, {"invalid", "not_found", "content_", "context_length", "policy", "unsupported", "bad_",
                             "too_large", "image_"}))
                return Refusal::request;
        }
    }
    if (holds(error, {"at capacity", "verloaded", "try again later"})) return Refusal::overloaded;
    return Refusal::server;
}

std::optional<milliseconds> parse_reset(std::string_view text) noexcept {
    if (text.empty()) return std::nullopt;
    double seconds = 0;
    while (!text.empty()) {
        const std::size_t end = text.find_first_not_of("0123456789.");
        if (end == 0 || end == std::string_view::npos) return std::nullopt;
        const std::optional<double> number = parse_number(text.substr(0, end));
        if (!number) return std::nullopt;
        text.remove_prefix(end);
        const std::string_view unit = text.substr(0, std::min(text.find_first_of("0123456789."), text.size()));
        text.remove_prefix(unit.size());
        if (unit == "ms") {
            seconds += *number / 1000;
        } else if (unit == "s") {
            seconds += *number;
        } else if (unit == "m") {
            seconds += *number * 60;
        } else if (unit == "h") {
            seconds += *number * 3600;
        } else if (unit == "d") {
            seconds += *number * 86'400;
        } else {
            return std::nullopt;
        }
    }
    return from_seconds(seconds);
}

std::optional<system_clock::time_point> parse_http_date(std::string_view text) noexcept {
    // "Sun, 06 Nov 1994 08:49:37 GMT"
    constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (text.size() != 29 || text.substr(3, 2) != ", " || !text.ends_with(" GMT")) return std::nullopt;
    const std::size_t month = months.find(text.substr(8, 3));
    const auto day = digits(text, 5, 2), year = digits(text, 12, 4);
    const auto hour = digits(text, 17, 2), minute = digits(text, 20, 2), second = digits(text, 23, 2);
    if (month == std::string_view::npos || month % 3 != 0 || !day || !year || !hour || !minute || !second)
        return std::nullopt;
    if (text[19] != ':' || text[22] != ':' || text[7] != ' ' || text[11] != ' ' || text[16] != ' ') return std::nullopt;
    return moment(*year, static_cast<unsigned>(month / 3 + 1), *day, *hour, *minute, *second);
}

std::optional<system_clock::time_point> parse_rfc3339(std::string_view text) noexcept {
    const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
    const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
    if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
    if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':')
        return std::nullopt;
    auto at = moment(*year, static_cast<unsigned>(*month), *day, *hour, *minute, *second);
    if (!at) return std::nullopt;
    text.remove_prefix(19);
    if (text.starts_with('.')) {
        const std::size_t end = std::min(text.find_first_not_of("0123456789", 1), text.size());
        const std::optional<double> part = parse_number("0" + std::string(text.substr(0, end)));
        if (!part) return std::nullopt;
        *at += milliseconds{static_cast<std::int64_t>(*part * 1000)};
        text.remove_prefix(end);
    }
    if (text == "Z" || text == "z") return at;
    const auto hours = digits(text, 1, 2), minutes = digits(text, 4, 2);
    if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':' || !hours || !minutes)
        return std::nullopt;
    const auto offset = std::chrono::hours{*hours} + std::chrono::minutes{*minutes};
    return text[0] == '+' ? *at - offset : *at + offset;
}

std::optional<milliseconds> rest_of(const http::Fields& fields, system_clock::time_point now) noexcept {
    if (const std::optional<double> ms = parse_number(fields.value("retry-after-ms"))) return from_seconds(*ms / 1000);
    const std::string_view after = fields.value("retry-after");
    if (const std::optional<double> seconds = parse_number(after)) return from_seconds(seconds);
    if (const auto then = parse_http_date(after)) return until(*then, now);
    return exhausted_windows(fields, now);
}

std::optional<milliseconds> rest_in(json::Padded body, system_clock::time_point now, json::Scanner& scanner) {
    constexpr std::size_t kLargest = std::size_t{64} << 10;
    if (body.text.size() > kLargest) return std::nullopt;
    static constexpr std::array<std::string_view, 2> names{"resets_in_seconds", "resets_at"};
    std::array<json::Member, names.size()> found;
    const json::Member error = scanner.find(body, {"error"});
    std::optional<milliseconds> rest;
    // A part of a padded text is padded by what follows it.
    if (error.kind == json::Kind::object && scanner.members(json::Padded{error.raw}, names, found)) {
        const auto& [in, at] = found;
        rest = from_seconds(parse_number(in.raw));
        if (const std::optional<std::int64_t> then = at.integer(); !rest && then && *then < kLatest)
            rest = until(system_clock::time_point{std::chrono::seconds{*then}}, now);
        if (const auto then = parse_rfc3339(at.plain_string()); !rest && then) rest = until(*then, now);
    }
    if (!rest) rest = parse_reset(text_member(body.text, "\"retryDelay\""));
    if (!rest || rest->count() == 0 || *rest > kLongest) return std::nullopt;
    return rest;
}

}  // namespace oai::wire
