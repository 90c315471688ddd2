#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "json/value.hpp"
#include "metrics/catalog.hpp"
#include "metrics/percentile.hpp"
#include "metrics/tally.hpp"
#include "thresholds/verdict.hpp"

namespace oai::rollout {

/// What a server tells that has values instead of a metric block.
struct BareValues {
    struct DurationValue {
        metrics::Duration metric{};
        metrics::Percentile statistic{};
        std::int64_t us = 0;
    };

    /// Empty: the server said null, or has no such rate.
    std::optional<metrics::Ratio> sla, error_rate, upstream_error_rate;
    bool counted = false;                    ///< the rates are counts: their denominator is N, and 0 is no traffic
    std::uint64_t upstream_throttled = 0;    ///< 429 and 529, as far as the server counts them
    std::string rates_unclear;               ///< why the rates cannot be read, and what to do; empty when they can
    std::optional<std::uint64_t> successes;  ///< the most samples a distribution can have
    std::vector<DurationValue> durations;
};

/// What is known about the subject of a rule. Nothing (nodata) where the server does not tell. Of a percentile N is not
/// known ("?"), but never more than the successes: with fewer of those than the rule asks for, N is given as their
/// number, so that three requests cannot roll a release back.
thresholds::Observation observe(const thresholds::Rule& rule, const BareValues& values);

/// A decimal number as a ratio: 0.9981 is 9981 / 10000. Read with twelve decimals, so that a server's
/// 0.020000000000000018 (1 - 0.98 in doubles) is 2 % and not above it. Empty for what is no number, negative, or above
/// `most`.
std::optional<metrics::Ratio> decimal_ratio(const json::Value& number, std::uint64_t most);

/// Milliseconds, perhaps with decimals, as microseconds; what is finer is rounded up, so that rounding never passes a
/// limit.
std::optional<std::int64_t> ms_to_us(const json::Value& number);

}  // namespace oai::rollout
