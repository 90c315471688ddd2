#include <CLI/CLI.hpp>

#include "cli/program.hpp"
#include "cmd_check.hpp"

int main(int argc, char** argv) {
    CLI::App app("Guards a rollout: judges traffic against its limits", "oaiguard");
    app.set_version_flag("--version", "oaiguard " OAI_VERSION);
    app.require_subcommand(1);
    int exit_code = 0;
    add_check(app, exit_code);
    return oai::cli::run(app, argc, argv, exit_code);
}
