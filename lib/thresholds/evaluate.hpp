#pragma once

#include <cstdint>
#include <functional>

#include "metrics/tally.hpp"
#include "thresholds/limit_set.hpp"
#include "thresholds/verdict.hpp"

namespace oai::thresholds {

struct EvaluateOptions {
    bool upstream_with_throttled = false;  ///< 429/529 of the upstream count in upstream_error_rate
    bool streams = true;                   ///< the run was to make requests that stream
    bool others = true;                    ///< ... and such that do not
};

/// The judge: point rules, decided by counting and by integer products, never on a rounded value.
RuleResult judge(const Rule& rule, const Observation& observed);

/// What a tally says about the subject of a limit. A tally whose accounting identity is broken says only that.
Observation observe(const Limit& limit, const metrics::Tally& tally, const EvaluateOptions& options = {});

/// Judges every rule on what `source` says about it: the way for sources that are not tallies.
Judgement evaluate(const LimitSet& set, const std::function<Observation(const Rule&)>& source);

/// Judges every rule on a tally. `for` is not looked at: this is one window, judged once.
Judgement evaluate(const LimitSet& set, const metrics::Tally& tally, const EvaluateOptions& options = {});

/// Below this many samples a verdict on `p` carries `low_n`: the smallest N with p^N <= 5 %. 0 when no N bounds it
/// (max).
std::uint64_t low_n_below(metrics::Percentile p) noexcept;

}  // namespace oai::thresholds
