#include "loadgen/baseline.hpp"

#include "loadgen/self.hpp"
#include "report/run_folder.hpp"

namespace oai::loadgen {

using core::Result;

Result<BaselineRun> run_baseline(const Scenario& scenario, const Target& target, RunOptions options,
                                 const std::filesystem::path& out) {
    // Before a folder is made for a run that cannot be.
    const Result<void> valid = validate(scenario);
    if (!valid) return valid.error();
    Result<std::filesystem::path> folder = report::create_run_folder(out, "baseline", core::system_clock().wall_now());
    if (!folder) return std::move(folder.error());
    options.samples = *folder / "samples.oais";
    Result<report::BaselineReport> report = run(scenario, target, options);
    if (!report) return std::move(report.error());
    const Result<void> written = report::write_documents(*folder, *report);
    if (!written) return written.error();
    return BaselineRun{.report = *std::move(report), .folder = *std::move(folder)};
}

std::string last_line(const report::BaselineReport& report) {
    std::string line = report::verdict_line(report);
    if (!report.generator.valid) line += " invalid=" + reason_words(report.generator);
    return line;
}

}  // namespace oai::loadgen
