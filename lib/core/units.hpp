#pragma once

#include <chrono>
#include <cstdint>
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

/// UTC, compact, for folder names: "20260212T090000Z".
std::string format_compact_utc(WallTime at);

/// RFC 3339 with Z or an offset, fractions allowed.
Result<WallTime> parse_rfc3339(std::string_view text);

/// ASCII only, without locale.
char to_lower(char c) noexcept;
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
bool equals_ignore_case(std::string_view a, std::string_view b) noexcept;
std::string_view trim(std::string_view text) noexcept;

}  // namespace oai::core
