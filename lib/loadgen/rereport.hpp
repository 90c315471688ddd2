#pragma once

#include <filesystem>
#include <span>

#include "core/result.hpp"
#include "report/baseline.hpp"

namespace oai::loadgen {

/// The report of a run again, from its samples file; it equals the one the run wrote. Several files of the same
/// scenario become one: samples are pooled, so every number is exact. What cannot be pooled is left out (percentiles of
/// the schedule lag) or is the worst of them; one invalid run makes the whole invalid. A file of a run that was killed
/// is read to its last whole block, and is invalid.
core::Result<report::BaselineReport> report_from_samples(std::span<const std::filesystem::path> files);

}  // namespace oai::loadgen
