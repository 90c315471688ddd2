#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "core/clock.hpp"
#include "core/result.hpp"

namespace oai::ops {

struct TimeRange {
    core::WallTime start;
    core::WallTime end;
};

/// `5m 30m 1h 6h 24h 7d 30d`. The ancestor took anything else for an hour; a typo must not change a verdict, so it is
/// an error here.
core::Result<std::chrono::seconds> parse_time_range(std::string_view text);

/// What the query parameters of the ops API ask for: `start_time`/`end_time` (RFC 3339) win over `time_range`; a
/// missing end is now.
core::Result<TimeRange> resolve_range(std::optional<std::string_view> time_range,
                                      std::optional<std::string_view> start_time,
                                      std::optional<std::string_view> end_time, core::WallTime now);

}  // namespace oai::ops
