#include <CLI/CLI.hpp>

#include "cli/program.hpp"
#include "commands.hpp"

int main(int argc, char** argv) {
    CLI::App app("An LLM gateway that measures what it carries", "oaigw");
    app.set_version_flag("--version", "oaigw " OAI_VERSION);
    app.require_subcommand(1);
    int exit_code = 0;
    add_serve(app, exit_code);
    add_check_config(app, exit_code);
    add_init(app, exit_code);
    add_explain(app, exit_code);
    return oai::cli::run(app, argc, argv, exit_code);
}
