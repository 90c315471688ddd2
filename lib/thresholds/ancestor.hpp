#pragma once

#include <string>

#include "core/result.hpp"
#include "json/value.hpp"
#include "json/writer.hpp"
#include "thresholds/limit_set.hpp"

/// The limits of an ancestor server (`settings/metric-thresholds`, sub2api): four bare numbers whose unit is in the
/// name.
namespace oai::thresholds {

/// `{"sla_percent_min":99.5,"ttft_p99_ms_max":900,"request_error_rate_percent_max":2,
/// "upstream_error_rate_percent_max":2}`.
/// A missing or null field is unset. Messages for values out of range are the ancestor's. A rollback set comes out as
/// breaches that must last 3 minutes, which is how such a set is used.
core::Result<LimitSet> read_ancestor_limits(const json::Value& document, std::string name, Purpose purpose);

/// The way back, unset fields left out. An error names the first limit that has no field there.
core::Result<void> write_ancestor_limits(json::Writer& out, const LimitSet& set);

}  // namespace oai::thresholds
