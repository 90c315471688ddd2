#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/tally.hpp"
#include "thresholds/limit_set.hpp"

namespace oai::thresholds {

/// What became of one rule.
enum class RuleState : std::uint8_t {
    ok,
    breach,
    thin,    ///< fewer samples than the rule asks for
    nodata,  ///< nothing to judge: no samples, or a null from the source
    off,     ///< not applicable: the run was to make no such requests, and made none; decides nothing
    stale,   ///< the data is older than its source promises
    error,   ///< the data contradicts itself or could not be read
};

enum class Verdict : std::uint8_t { pass, breach, inconclusive, error };

std::string_view name_of(RuleState state) noexcept;  ///< "ok", "breach", …
std::string_view name_of(Verdict verdict) noexcept;  ///< "PASS", "BREACH", "INCONCLUSIVE", "ERROR"

/// 0 pass, 2 breach, 3 inconclusive, 1 error.
int exit_code(Verdict verdict) noexcept;

/// What a source knows about the subject of one limit. Counts decide where there are some; otherwise the value does.
struct Observation {
    std::optional<std::uint64_t> n = {};  ///< samples, or the rate's denominator; empty: the source does not tell ("?")
    std::optional<std::int64_t> value_us = {};      ///< a duration's statistic, as shown
    std::optional<std::uint64_t> at_or_below = {};  ///< a duration: how many of n are within the limit
    std::optional<metrics::Ratio> ratio = {};       ///< a rate; without n its scale is any (0.9981 is 9981 / 10000)
    bool approx = false;                            ///< at_or_below comes from buckets that the limit cuts
    bool off = false;                               ///< nothing was meant to be there
    bool stale = false;
    std::string error = {};  ///< why there is nothing to judge; empty when there is
};

/// One rule, judged.
struct RuleResult {
    Rule rule;
    Observation observed;
    RuleState state = RuleState::nodata;
    bool low_n = false;   ///< a percentile from fewer samples than bound it from above with 95 % confidence (p99: 299)
    bool approx = false;  ///< see Observation
};

/// All rules of a set, judged.
struct Judgement {
    std::string set;
    std::vector<RuleResult> rules;
    Verdict verdict = Verdict::inconclusive;
};

/// A required breach wins: it was seen on valid data. Then error, then inconclusive. Nothing required to judge is
/// inconclusive; a rule that is off is none.
Verdict overall(const std::vector<RuleResult>& rules) noexcept;

/// The last line of stdout, without its newline: `verdict=BREACH exit=2 rules=4 breached=ttft.p99,error_rate`. Required
/// rules that could not be judged follow as `undecided=`, those that are off as `off=`; a list that is empty is left
/// out.
std::string verdict_line(const Judgement& judgement);

}  // namespace oai::thresholds
