#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "core/result.hpp"
#include "loadgen/driver.hpp"

namespace oai::loadgen {

/// A run with its folder.
struct BaselineRun {
    report::BaselineReport report;
    std::filesystem::path folder;  ///< report.json, report.md, report.html, samples.oais
};

/// Makes a folder below `out`, runs, writes the documents there. `options.samples` is set by it.
core::Result<BaselineRun> run_baseline(const Scenario& scenario, const Target& target, RunOptions options,
                                       const std::filesystem::path& out);

/// A gateway and an upstream in this process, as `--embedded` starts them (lib/lab). They live as long as `keep`.
struct Embedded {
    Target target;
    std::shared_ptr<void> keep;
};
using StartEmbedded = std::function<core::Result<Embedded>()>;

/// thresholds' line, and for a run that invalidated itself why: `verdict=INCONCLUSIVE exit=3 rules=4
/// invalid=lag,dropped`.
std::string last_line(const report::BaselineReport& report);

}  // namespace oai::loadgen
