#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "thresholds/limit_set.hpp"

namespace oai::rollout {

/// What the options say about limits, before any traffic.
struct LimitChoice {
    std::optional<thresholds::LimitSet> base;  ///< of --limits or --set; empty: the source may have limits of its own
    std::string from;                          ///< where `base` is from, for the report
    std::vector<thresholds::Limit> single;     ///< of --limit
};

/// `file` and `set` ("target", "rollback") may be empty; both at once are refused, for it would not be clear which
/// counts.
core::Result<LimitChoice> choose_limits(const std::string& file, const std::string& set,
                                        const std::vector<std::string>& single);

/// A single limit takes the place of the one on the same subject, or joins.
void apply(thresholds::LimitSet& set, const std::vector<thresholds::Limit>& single);

}  // namespace oai::rollout
