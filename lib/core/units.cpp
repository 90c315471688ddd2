#include "core/units.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>

namespace oai::core {
namespace {

Error bad(std::string_view what, std::string_view text, std::string_view right) {
    return Error{
        .code = Code::invalid_argument,
        .detail = std::string(what) + " must be like " + std::string(right) + ", got \"" + std::string(text) + "\""};
}

struct Unit {
    std::string_view name;
    std::int64_t factor;
};

/// A decimal number times `scale`, exactly, as an integer; false when it is none, leaves a fraction or overflows.
bool scaled_decimal(std::string_view digits, std::int64_t scale, std::int64_t& out) {
    std::int64_t value = 0;
    std::int64_t fraction_scale = 1;
    bool seen_point = false, seen_digit = false;
    for (const char c : digits) {
        if (c == '.') {
            if (seen_point) return false;
            seen_point = true;
            continue;
        }
        if (c < '0' || c > '9') return false;
        seen_digit = true;
        if (seen_point && __builtin_mul_overflow(fraction_scale, std::int64_t{10}, &fraction_scale)) return false;
        if (__builtin_mul_overflow(value, std::int64_t{10}, &value)) return false;
        if (__builtin_add_overflow(value, std::int64_t{c - '0'}, &value)) return false;
    }
    if (!seen_digit || digits.back() == '.') return false;
    std::int64_t product = 0;
    if (__builtin_mul_overflow(value, scale, &product) || product % fraction_scale != 0) return false;
    out = product / fraction_scale;
    return true;
}

/// Splits "1.5ms" into digits and unit and looks the unit up.
template <std::size_t N>
bool with_unit(std::string_view text, const std::array<Unit, N>& units, std::int64_t& out) {
    const std::size_t split = text.find_first_not_of("0123456789.");
    if (split == std::string_view::npos || split == 0) return false;
    for (const Unit& unit : units) {
        if (text.substr(split) == unit.name) return scaled_decimal(text.substr(0, split), unit.factor, out);
    }
    return false;
}

}  // namespace

Result<nanoseconds> parse_duration(std::string_view text) {
    static constexpr std::array<Unit, 6> units{{{"ns", 1},
                                                {"us", 1'000},
                                                {"ms", 1'000'000},
                                                {"s", 1'000'000'000},
                                                {"m", 60'000'000'000},
                                                {"h", 3'600'000'000'000}}};
    if (text == "0") return nanoseconds{0};
    std::int64_t ns = 0;
    if (!with_unit(text, units, ns)) return bad("a duration", text, "250ms, 30s or 3m");
    return nanoseconds{ns};
}

Result<std::uint64_t> parse_size(std::string_view text) {
    static constexpr std::array<Unit, 4> units{{{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}}};
    std::int64_t bytes = 0;
    const bool plain = !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
    if (!(plain ? scaled_decimal(text, 1, bytes) : with_unit(text, units, bytes)))
        return bad("a size", text, "4096, 64KiB or 32MiB");
    return static_cast<std::uint64_t>(bytes);
}

Result<std::int64_t> parse_percent(std::string_view text) {
    static constexpr std::array<Unit, 1> units{{{"%", 100}}};
    std::int64_t bp = 0;
    if (!with_unit(text, units, bp)) return bad("a share", text, "2% or 99.5% (at most two decimals)");
    if (bp > 10'000) return bad("a share", text, "a percentage from 0% to 100%");
    return bp;
}

Result<std::uint64_t> parse_unsigned(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc{} || end != text.data() + text.size() || text.empty())
        return bad("a count", text, "a whole number, such as 20");
    return value;
}

std::string format_duration(nanoseconds value) {
    const std::int64_t ns = value.count();
    if (ns == 0) return "0";
    static constexpr std::array<Unit, 6> units{{{"h", 3'600'000'000'000},
                                                {"m", 60'000'000'000},
                                                {"s", 1'000'000'000},
                                                {"ms", 1'000'000},
                                                {"us", 1'000},
                                                {"ns", 1}}};
    for (const Unit& unit : units) {
        if (ns % unit.factor == 0) return std::to_string(ns / unit.factor) + std::string(unit.name);
    }
    return std::to_string(ns) + "ns";
}

std::string format_ms(std::int64_t us) {
    std::array<char, 32> buffer{};
    const std::int64_t magnitude = us < 0 ? -us : us;
    const int n = std::snprintf(buffer.data(), buffer.size(), "%s%lld.%03lld", us < 0 ? "-" : "",
                                static_cast<long long>(magnitude / 1000), static_cast<long long>(magnitude % 1000));
    return std::string(buffer.data(), static_cast<std::size_t>(n));
}

std::string format_basis_points(std::int64_t bp) {
    std::string text = std::to_string(bp / 100);
    const std::int64_t rest = bp % 100;
    if (rest != 0) {
        text += '.';
        text += static_cast<char>('0' + rest / 10);
        if (rest % 10 != 0) text += static_cast<char>('0' + rest % 10);
    }
    return text;
}

namespace {

std::tm utc(WallTime at) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(at));
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    return parts;
}

std::string strftime_string(const char* format, const std::tm& parts) {
    std::array<char, 40> buffer{};
    return std::string(buffer.data(), std::strftime(buffer.data(), buffer.size(), format, &parts));
}

}  // namespace

std::string format_rfc3339(WallTime at) {
    return strftime_string("%Y-%m-%dT%H:%M:%SZ", utc(at));
}

std::string format_http_date(WallTime at) {
    // strftime's names are those of the locale.
    constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::tm parts = utc(at);
    return std::string(days[static_cast<std::size_t>(parts.tm_wday)]) + strftime_string(", %d ", parts) +
           months[static_cast<std::size_t>(parts.tm_mon)] + strftime_string(" %Y %H:%M:%S GMT", parts);
}

std::string format_compact_utc(WallTime at) {
    return strftime_string("%Y%m%dT%H%M%SZ", utc(at));
}

Result<WallTime> parse_rfc3339(std::string_view text) {
    const std::string_view right = "2026-02-12T09:00:00Z";
    const auto number = [&](std::size_t at, std::size_t width, int& out) {
        if (text.size() < at + width) return false;
        const auto [end, ec] = std::from_chars(text.data() + at, text.data() + at + width, out);
        return ec == std::errc{} && end == text.data() + at + width;
    };
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    const bool shaped = text.size() >= 20 && text[4] == '-' && text[7] == '-' && (text[10] == 'T' || text[10] == 't') &&
                        text[13] == ':' && text[16] == ':' && number(0, 4, year) && number(5, 2, month) &&
                        number(8, 2, day) && number(11, 2, hour) && number(14, 2, minute) && number(17, 2, second);
    if (!shaped || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
        return bad("a time", text, right);
    std::size_t at = 19;
    std::int64_t fraction_ns = 0;
    if (text[at] == '.') {
        std::int64_t unit = 100'000'000;
        for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10)
            fraction_ns += (text[at] - '0') * unit;
    }
    int offset_minutes = 0;
    if (at < text.size() && (text[at] == 'Z' || text[at] == 'z')) {
        ++at;
    } else {
        int offset_hour = 0, offset_minute = 0;
        if (at + 6 > text.size() || (text[at] != '+' && text[at] != '-') || text[at + 3] != ':' ||
            !number(at + 1, 2, offset_hour) || !number(at + 4, 2, offset_minute))
            return bad("a time", text, right);
        offset_minutes = (text[at] == '-' ? -1 : 1) * (offset_hour * 60 + offset_minute);
        at += 6;
    }
    if (at != text.size()) return bad("a time", text, right);
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok()) return bad("a time", text, right);
    const auto since_epoch = std::chrono::sys_days{date}.time_since_epoch() + std::chrono::hours{hour} +
                             std::chrono::minutes{minute - offset_minutes} + seconds{second} + nanoseconds{fraction_ns};
    return WallTime{std::chrono::duration_cast<WallTime::duration>(since_epoch)};
}

char to_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

std::string to_lower(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) c = to_lower(c);
    return lower;
}

std::string to_upper(std::string_view text) {
    std::string upper(text);
    for (char& c : upper) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - ('a' - 'A'));
    }
    return upper;
}

std::string_view trim(std::string_view text) noexcept {
    const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return text;
}

}  // namespace oai::core
