#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "loadgen/recorder.hpp"
#include "loadgen/scenario.hpp"
#include "loadgen/target.hpp"
#include "report/baseline.hpp"

/// The JSON header of a samples file: all that a report says and samples do not.
namespace oai::loadgen {

/// Facts of a run. `report` is without what comes from samples: tally, exact, judgement.
struct RunFacts {
    report::BaselineReport report;
    Claims claims;
    std::string config;     ///< canonical JSON of the scenario
    bool complete = false;  ///< the run came to its end and wrote this; otherwise only its begin is known
};

/// What is known of a run before it begins.
RunFacts begin_facts(const Scenario& scenario, const Target& target, core::WallTime started);

std::string write_header(const RunFacts& facts);
/// The error names the member and what was expected.
core::Result<RunFacts> read_header(std::string_view json);

/// Facts and samples make the report: the live run and a file read again come through here. Judged by the target set.
report::BaselineReport conclude(RunFacts facts, Totals totals);

}  // namespace oai::loadgen
