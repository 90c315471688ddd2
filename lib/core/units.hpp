#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/result.hpp"

namespace oai::core {

/// "250us", "250ms", "1.5s", "30s", "15m", "1h"; a bare "0" is zero. The unit is mandatory otherwise; integers or
/// decimals, never negative. Errors say what was read and what would be right.
Result<nanoseconds> parse_duration(std::string_view text);

/// "512", "64KiB", "32MiB", "1GiB" in bytes.
Result<std::uint64_t> parse_size(std::string_view text);

/// "2%", "0.5%", "99.95%" in basis points (hundredths of a percent): 200, 50, 9995. Range 0 to 10000.
Result<std::int64_t> parse_percent(std::string_view text);

/// Plain decimal integer, all of the text, no sign. Empty text, a trailing character or overflow is an error.
Result<std::uint64_t> parse_unsigned(std::string_view text);

/// Shortest exact form with one unit: 1500 ms -> "1500ms", 2000 ms -> "2s", 0 -> "0".
std::string format_duration(nanoseconds value);

/// Microseconds as milliseconds with three decimals: 1234567 -> "1234.567".
std::string format_ms(std::int64_t us);

/// Basis points as percent: 9950 -> "99.5", 200 -> "2".
std::string format_basis_points(std::int64_t bp);

/// UTC, "2026-02-12T09:00:00Z".
std::string format_rfc3339(WallTime at);

/// As HTTP's header fields say it (RFC 9110 5.6.7): "Thu, 12 Feb 2026 09:00:00 GMT".
std::string format_http_date(WallTime at);

/// UTC, compact, for folder names: "20260212T090000Z".
std::string format_compact_utc(WallTime at);

/// RFC 3339 with Z or an offset, fractions allowed.
Result<WallTime> parse_rfc3339(std::string_view text);

/// ASCII only, without locale.
char to_lower(char c) noexcept;
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
std::string_view trim(std::string_view text) noexcept;

namespace detail {

template <class Word>
std::uint64_t load(const char* at) noexcept {
    Word word = 0;
    std::memcpy(&word, at, sizeof word);
    return word;
}

/// Eight bytes at a time: the same but for the case of letters.
inline bool same_letters(std::uint64_t a, std::uint64_t b) noexcept {
    constexpr std::uint64_t each = 0x0101010101010101;
    constexpr std::uint64_t high = each * 0x80;
    const std::uint64_t differ = a ^ b;
    if ((differ & ~(each * 0x20)) != 0) return false;
    // High bits: whether the low seven of `a`, as a small letter, are at least 'a' and not above 'z'. No sum carries.
    const std::uint64_t low = (a | each * 0x20) & ~high;
    const std::uint64_t letters = (low + each * (0x80 - 'a')) & ~(low + each * (0x7F - 'z')) & ~a & high;
    return (differ << 2 & ~letters) == 0;
}

}  // namespace detail

/// ASCII only. Inline: asked for nearly every header field of every request.
inline bool equals_ignore_case(std::string_view a, std::string_view b) noexcept {
    using detail::load, detail::same_letters;
    const std::size_t size = a.size();
    if (size != b.size()) return false;
    const char *const x = a.data(), *const y = b.data();
    if (size >= 8) {
        for (std::size_t i = 0; i + 8 < size; i += 8) {
            if (!same_letters(load<std::uint64_t>(x + i), load<std::uint64_t>(y + i))) return false;
        }
        return same_letters(load<std::uint64_t>(x + size - 8), load<std::uint64_t>(y + size - 8));  // may overlap
    }
    if (size >= 4) {
        const auto ends = [size](const char* at) {
            return load<std::uint32_t>(at) << 32 | load<std::uint32_t>(at + size - 4);
        };
        return same_letters(ends(x), ends(y));
    }
    for (std::size_t i = 0; i < size; ++i) {
        if (!same_letters(static_cast<unsigned char>(x[i]), static_cast<unsigned char>(y[i]))) return false;
    }
    return true;
}

}  // namespace oai::core
