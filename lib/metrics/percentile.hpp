#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace oai::metrics {

/// A percentile in thousandths of a percent: p99.9 is Percentile{99'900}. Integers, because a floating-point rank is
/// off by one for some N.
struct Percentile {
    std::uint32_t milli = 0;  ///< 1 to 100'000
    friend constexpr auto operator<=>(const Percentile&, const Percentile&) = default;
};

inline constexpr Percentile p50{50'000}, p90{90'000}, p95{95'000}, p99{99'000}, p999{99'900};
/// The largest value, as a percentile: its rank is N.
inline constexpr Percentile kMaximum{100'000};
/// Those every report shows.
inline constexpr std::array kShownPercentiles = {p50, p90, p95, p99, p999};

/// Nearest rank: max(1, ceil(p * n / 100'000)), counted from 1. Precondition: n < 2^47.
constexpr std::uint64_t rank(Percentile p, std::uint64_t n) noexcept {
    const std::uint64_t ceiling = (p.milli * n + 99'999) / 100'000;
    return ceiling == 0 ? 1 : ceiling;
}

/// The rank-th smallest of raw values; empty when there are none. Reorders `values`: that is cheaper than sorting a
/// copy.
std::optional<std::int64_t> percentile_of(std::vector<std::int64_t>& values, Percentile p);

/// "p99", "p99.9"; "max" for 100 %.
std::string name_of(Percentile p);

/// Reads what name_of() writes: p1 to p99.999, at most three decimals, or max. Empty for anything else.
std::optional<Percentile> parse_percentile(std::string_view text) noexcept;

}  // namespace oai::metrics
