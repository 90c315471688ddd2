#include <CLI/CLI.hpp>

#include "cli/program.hpp"
#include "cmd_baseline.hpp"
#include "cmd_mock.hpp"
#include "cmd_report.hpp"
#include "lab/lab.hpp"

int main(int argc, char** argv) {
    CLI::App app("Load for LLM gateways, measured so that the numbers can be trusted", "oaiperf");
    app.set_version_flag("--version", "oaiperf " OAI_VERSION);
    app.require_subcommand(1);
    int exit_code = 0;
    add_baseline(app, exit_code, [] { return oai::lab::start(oai::lab::LabOptions{}); });
    add_report(app, exit_code);
    add_mock(app, exit_code);
    return oai::cli::run(app, argc, argv, exit_code);
}
