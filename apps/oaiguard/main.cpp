#include <algorithm>
#include <iostream>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "cli/program.hpp"
#include "cmd_check.hpp"
#include "rollout/check.hpp"

int main(int argc, char** argv) {
    CLI::App app("Guards a rollout: judges traffic against its limits", "oaiguard");
    app.set_version_flag("--version", "oaiguard " OAI_VERSION);
    app.require_subcommand(1);
    int exit_code = 0;
    add_check(app, exit_code);
    // Pipelines read the last line, also when the options could not be read: they are looked at as they are.
    const auto say_verdict = [&](const std::string& why) {
        const bool document = std::any_of(argv, argv + argc, [](std::string_view argument) {
            return argument == "--json" || argument == "--metrics";
        });
        (document ? std::cerr : std::cout) << oai::rollout::refusal_line(why) << '\n';
    };
    return oai::cli::run(app, argc, argv, exit_code, say_verdict);
}
