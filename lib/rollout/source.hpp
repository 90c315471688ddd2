#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "metrics/bounds.hpp"
#include "metrics/tally.hpp"
#include "report/guard.hpp"
#include "rollout/bare_values.hpp"
#include "thresholds/limit_set.hpp"

namespace oai::rollout {

/// What a source says about one window of traffic.
struct WindowMetrics {
    report::SourceKind kind{};
    /// Our own sources give the whole tally, an ancestor a few values.
    std::variant<BareValues, metrics::Tally> values = {};
    std::optional<core::WallTime> start = {}, end = {};  ///< the window really used
    std::optional<std::uint64_t> open_requests = {};     ///< of the window, still in flight
    /// Why the source itself says that its data must not decide; empty when it may. The verdict is then inconclusive.
    std::string invalid = {};
    std::vector<std::string> notes = {};  ///< for the reader of the report
};

/// Where the numbers of a check come from.
class MetricSource {
public:
    virtual ~MetricSource() = default;

    /// Reads the window, once; blocks. Limits in `bounds` are counted exactly where the source still has its samples.
    /// The error is one line for a person: what was asked, what came, what to do.
    virtual core::Result<WindowMetrics> fetch(const metrics::Bounds& bounds) = 0;

    /// The limits that the source keeps itself; none when it keeps none.
    virtual core::Result<std::optional<thresholds::LimitSet>> limits() = 0;
};

}  // namespace oai::rollout
