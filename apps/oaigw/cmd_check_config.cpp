#include <iostream>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/exit_code.hpp"
#include "cli/program.hpp"
#include "commands.hpp"
#include "gateway/config.hpp"

namespace {

int run_check_config(const std::string& path, std::ostream& out) {
    using namespace oai;
    const core::Result<gateway::Config> config = gateway::load_config(path, config::process_environment());
    if (!config) return cli::fail("oaigw check-config", config.error());
    out << path << " is good: listens on " << config->listen.text() << ", " << config->catalog.providers().size()
        << " provider(s), " << config->catalog.routes().size() << " route(s), " << config->keys.size()
        << " client key(s)\n";
    return cli::kPass;
}

}  // namespace

void add_check_config(CLI::App& app, int& exit_code) {
    auto path = std::make_shared<std::string>();
    CLI::App* cmd =
        app.add_subcommand("check-config", "Say what is wrong in a configuration file, with lines; starts nothing");
    cmd->add_option("file", *path, "The file, such as oaigw.toml")->required();
    cmd->callback([path, &exit_code] { exit_code = run_check_config(*path, std::cout); });
}
