#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/result.hpp"
#include "metrics/catalog.hpp"
#include "metrics/percentile.hpp"

namespace oai::thresholds {

/// How a limit is put. `<=` and `>=` say what must hold, `>` and `<` what is a breach; `x > T` therefore breaches
/// exactly where `x <= T` does, and equality is never a breach.
enum class Comparison : std::uint8_t {
    at_most,   ///< <=
    at_least,  ///< >=
    above,     ///< >
    below,     ///< <
};

/// One limit: `ttft.p99 <= 900ms`, `error_rate > 5% for 3m`, `response.p95{stream=true} <= 3s`, `sla >= 99.5%`.
///
///     limit      = metric [ "." statistic ] [ "{stream=" ("true" | "false") "}" ] comparison value [ "for" duration ]
///     statistic  = "p50" … "p99.999" | "max"     for durations, mandatory; rates have none
///     value      = duration with a unit (us ms s m h, up to 1h) for durations, percentage ("2%", at most two decimals)
///     for rates
///
/// The comparison must fit the metric: `<=` or `>` where lower is better, `>=` or `<` for sla and goodput.
struct Limit {
    std::variant<metrics::Duration, metrics::Rate> metric;
    metrics::Percentile statistic{};  ///< of a duration
    std::optional<bool> stream = {};  ///< label: only streams, only others, or both
    Comparison comparison = Comparison::at_most;
    std::int64_t value = 0;                     ///< microseconds for a duration, basis points for a rate
    std::chrono::nanoseconds sustained_for{0};  ///< `for`; 0 = judged once over the window

    bool is_duration() const noexcept { return std::holds_alternative<metrics::Duration>(metric); }
    bool lower_is_better() const noexcept {
        return comparison == Comparison::at_most || comparison == Comparison::above;
    }
    /// What is judged, without blanks: "ttft.p99", "response.p95{stream=true}", "error_rate".
    std::string subject() const;
    /// The limit alone: "<= 900ms", "> 5%".
    std::string bound() const;
    /// Canonical text; parse_limit() reads it back as the same limit.
    std::string text() const;

    friend bool operator==(const Limit&, const Limit&) = default;
};

/// Strict. The error quotes the limit and says what would be right.
core::Result<Limit> parse_limit(std::string_view text);

}  // namespace oai::thresholds
