#pragma once

#include <string>

#include "json/writer.hpp"
#include "ops/collector.hpp"
#include "ops/series.hpp"
#include "ops/system.hpp"

namespace oai::ops {

/// Writes `data` of GET …/dashboard/overview: the ancestor's fields under their names, the `_percent` ones beside them,
/// and the metric block that verdicts are made from. An idle window has null rates and null percentiles. Field names:
/// docs/ops-api.md.
void write_overview(json::Writer& out, const Filter& filter, const Collector::Answer& answer,
                    const SystemSample& system);

}  // namespace oai::ops
