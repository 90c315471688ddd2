#include "cmd_report.hpp"

#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/console.hpp"
#include "cli/program.hpp"
#include "config/environment.hpp"
#include "json/writer.hpp"
#include "loadgen/baseline.hpp"
#include "loadgen/rereport.hpp"
#include "metrics/block.hpp"
#include "report/run_folder.hpp"

namespace {

using namespace oai;
using core::Result;

constexpr std::string_view kCommand = "oaiperf report";

struct ReportOptions {
    std::vector<std::string> inputs;
    std::string out;
    bool json = false;
    bool metrics = false;
    bool quiet = false;
};

/// A run's folder stands for the samples in it.
std::vector<std::filesystem::path> samples_files(const std::vector<std::string>& inputs) {
    std::vector<std::filesystem::path> files;
    for (const std::string& input : inputs) {
        std::error_code failed;
        const bool folder = std::filesystem::is_directory(input, failed);
        files.push_back(folder ? std::filesystem::path(input) / "samples.oais" : std::filesystem::path(input));
    }
    return files;
}

Result<void> write_out(const std::filesystem::path& folder, const report::BaselineReport& report) {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed)
        return core::Error{.code = core::Code::io_failed,
                           .detail = "cannot make the folder " + folder.string() + ": " + failed.message()};
    return report::write_documents(folder, report);
}

int run_report(const ReportOptions& options, std::ostream& out) {
    const std::vector<std::filesystem::path> files = samples_files(options.inputs);
    const Result<report::BaselineReport> report = loadgen::report_from_samples(files);
    if (!report) return cli::fail(kCommand, report.error());
    if (!options.out.empty()) {
        const Result<void> written = write_out(options.out, *report);
        if (!written) return cli::fail(kCommand, written.error());
    }
    const std::string last = loadgen::last_line(*report);
    if (options.metrics || options.json) {
        if (options.metrics) {
            json::Writer block;
            metrics::write_block(block, report->tally);
            out << block.text() << '\n';
        } else {
            out << report::write_json(*report);
        }
        std::cerr << last << '\n';  // stdout is the document, whole
    } else {
        const cli::Console console = cli::stdout_console(config::process_environment());
        if (!options.quiet)
            out << report::write_terminal(*report, {.unicode = console.unicode, .color = console.color});
        out << last << '\n';
    }
    out.flush();
    return report::exit_code(*report);
}

}  // namespace

void add_report(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<ReportOptions>();
    CLI::App* cmd = app.add_subcommand("report", "A run's report again, or several runs of one scenario as one");
    cmd->add_option("samples", options->inputs, "samples.oais files, or folders of runs")->required();
    cmd->add_option("--out", options->out, "Write report.json, report.md and report.html to this folder");
    CLI::Option* json = cmd->add_flag("--json", options->json, "The report as JSON on stdout");
    cmd->add_flag("--metrics", options->metrics, "Only the oai.metrics/1 block on stdout, one line")->excludes(json);
    cmd->add_flag("--quiet,-q", options->quiet, "Nothing but the last line");
    cmd->callback([options, &exit_code] { exit_code = run_report(*options, std::cout); });
}
