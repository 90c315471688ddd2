#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/result.hpp"
#include "report/guard.hpp"
#include "rollout/check.hpp"
#include "rollout/limits.hpp"
#include "rollout/source.hpp"

namespace oai::rollout {

/// The options of a check, understood.
struct CheckPlan {
    std::unique_ptr<MetricSource> source;
    LimitChoice limits;
    std::optional<int> inconclusive_exit;  ///< what 3 becomes
    report::GuardReport report;            ///< what is known before the traffic: source, filters, the window asked for
};

/// Everything that can be wrong before any traffic is found here: Code::invalid_argument.
core::Result<CheckPlan> plan_check(const CheckOptions& options);

}  // namespace oai::rollout
