#pragma once

#include "core/result.hpp"
#include "json/value.hpp"
#include "json/writer.hpp"
#include "metrics/tally.hpp"

namespace oai::metrics {

/// Writes the metric block `oai.metrics/1` as one object. It holds nothing of its source (no times, no ids): the same
/// samples give the same bytes from a load run, from the slots of a gateway and from a file. Buckets stand in the two
/// halves only, since the whole is their sum.
void write_block(json::Writer& out, const Tally& tally);

/// Reads a block back, so that it can be merged and judged again; write_block() of the result gives the same bytes.
/// The error names the member and what was expected of it.
core::Result<Tally> read_block(const json::Value& block);

}  // namespace oai::metrics
