#include "thresholds/evaluate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace oai::thresholds {
namespace {

/// Integer products in 128 bits: a ratio from elsewhere may have any scale.
bool rate_holds(const Limit& limit, const metrics::Ratio& ratio) {
    using Wide = unsigned __int128;
    const Wide observed = Wide{ratio.num} * 10'000;
    const Wide allowed = Wide{static_cast<std::uint64_t>(limit.value)} * ratio.den;
    return limit.lower_is_better() ? observed <= allowed : observed >= allowed;
}

/// "p <= T" holds iff count(x <= T) >= rank(p, N). Counts add, so every form of the same samples decides alike.
bool duration_holds(const Limit& limit, const Observation& observed) {
    if (observed.n && observed.at_or_below) return *observed.at_or_below >= metrics::rank(limit.statistic, *observed.n);
    return *observed.value_us <= limit.value;
}

bool has_data(const Limit& limit, const Observation& observed) {
    if (observed.n == 0u) return false;
    if (!limit.is_duration()) return observed.ratio && observed.ratio->den != 0;
    return observed.value_us || (observed.n && observed.at_or_below);
}

RuleState state_of(const Rule& rule, const Observation& observed) {
    if (!observed.error.empty()) return RuleState::error;
    if (observed.stale) return RuleState::stale;
    if (!has_data(rule.limit, observed)) return observed.off ? RuleState::off : RuleState::nodata;
    if (observed.n && *observed.n < rule.min_samples) return RuleState::thin;
    const bool holds =
        rule.limit.is_duration() ? duration_holds(rule.limit, observed) : rate_holds(rule.limit, *observed.ratio);
    return holds ? RuleState::ok : RuleState::breach;
}

/// Whether the run was to make none of the requests that a limit is about.
bool is_off(const Limit& limit, const EvaluateOptions& options) {
    using metrics::Duration;
    static constexpr std::array<Duration, 4> of_streams{Duration::ttfe, Duration::ttft, Duration::tpot, Duration::gap};
    const auto* const metric = std::get_if<Duration>(&limit.metric);
    const bool only_streams =
        limit.stream.value_or(metric != nullptr && std::ranges::find(of_streams, *metric) != of_streams.end());
    return (only_streams && !options.streams) || (limit.stream == false && !options.others);
}

std::string broken_identity(const metrics::Counts& counts) {
    std::uint64_t ended = 0;
    for (const std::uint64_t count : counts.by_outcome) ended += count;
    return "the accounting identity is broken: offered " + std::to_string(counts.offered) + ", sent " +
           std::to_string(counts.sent) + ", dropped " + std::to_string(counts.dropped()) + ", ended " +
           std::to_string(ended - counts.dropped());
}

}  // namespace

RuleResult judge(const Rule& rule, const Observation& observed) {
    RuleResult result{.rule = rule, .observed = observed, .state = state_of(rule, observed), .approx = observed.approx};
    result.low_n = rule.limit.is_duration() && observed.n && *observed.n < low_n_below(rule.limit.statistic);
    return result;
}

Observation observe(const Limit& limit, const metrics::Tally& tally, const EvaluateOptions& options) {
    Observation seen;
    if (const metrics::Counts counts = tally.counts(); !counts.identity_holds()) {
        seen.error = broken_identity(counts);
        return seen;
    }
    seen.off = is_off(limit, options);
    const metrics::Part part = !limit.stream   ? metrics::Part::whole
                               : *limit.stream ? metrics::Part::stream
                                               : metrics::Part::non_stream;
    if (const auto* metric = std::get_if<metrics::Duration>(&limit.metric)) {
        const metrics::Histogram histogram = tally.histogram(*metric, part);
        const metrics::CountAtOrBelow within = histogram.count_at_or_below(std::chrono::microseconds{limit.value});
        seen.n = histogram.count();
        if (const auto value = histogram.percentile(limit.statistic)) seen.value_us = value->count();
        seen.at_or_below = within.count;
        seen.approx = within.approx;
    } else {
        seen.ratio = tally.rate(std::get<metrics::Rate>(limit.metric), part, options.upstream_with_throttled);
        seen.n = seen.ratio ? seen.ratio->den : 0;
    }
    return seen;
}

Judgement evaluate(const LimitSet& set, const std::function<Observation(const Rule&)>& source) {
    Judgement judgement{.set = set.name, .rules = {}, .verdict = Verdict::inconclusive};
    for (const Rule& rule : set.rules) judgement.rules.push_back(judge(rule, source(rule)));
    judgement.verdict = overall(judgement.rules);
    return judgement;
}

Judgement evaluate(const LimitSet& set, const metrics::Tally& tally, const EvaluateOptions& options) {
    return evaluate(set, [&](const Rule& rule) { return observe(rule.limit, tally, options); });
}

std::uint64_t low_n_below(metrics::Percentile p) noexcept {
    if (p >= metrics::kMaximum) return 0;
    // A note beside a verdict, never a decision: floating point may be here.
    return static_cast<std::uint64_t>(std::ceil(std::log(0.05) / std::log(p.milli / 100'000.0)));
}

}  // namespace oai::thresholds
