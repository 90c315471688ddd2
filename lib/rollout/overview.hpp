#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "json/value.hpp"
#include "rollout/source.hpp"

/// `GET /dashboard/overview` of the ops API: what is asked and what is read from the answer. No I/O.
namespace oai::rollout {

/// Which requests, and when. Empty fields are not asked for.
struct OverviewQuery {
    std::string platform = "openai";
    std::string group_id = {}, provider = {}, version = {}, model = {};
    std::string time_range = "30m";              ///< not sent when there is a start or an end
    std::string start_time = {}, end_time = {};  ///< RFC 3339
};

/// What `sla`, `error_rate` and `upstream_error_rate` of a server without counts are. The ancestor gives fractions, its
/// mock gave percents under the same names.
enum class RateScale : std::uint8_t { unknown, fraction, percent };

/// Of "5m", "30m", "1h", "6h", "24h", "7d", "30d". Other ranges would silently become an hour on the ancestor.
std::optional<std::chrono::seconds> time_range_length(std::string_view text) noexcept;

/// Path and query below the ops API: "/dashboard/overview?platform=openai&time_range=30m".
std::string overview_target(const OverviewQuery& query);

/// Reads the answer's `data`. Refused: numbers out of range, counts that contradict each other, an answer for other
/// requests or a longer window than asked for, and a filter that the server cannot apply.
core::Result<WindowMetrics> read_overview(const json::Value& data, const OverviewQuery& query, RateScale scale);

}  // namespace oai::rollout
