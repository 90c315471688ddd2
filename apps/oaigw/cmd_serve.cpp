#include <iostream>
#include <memory>
#include <optional>
#include <signal.h>
#include <string>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/duration.hpp"
#include "cli/exit_code.hpp"
#include "cli/program.hpp"
#include "commands.hpp"
#include "config/secret.hpp"
#include "core/log.hpp"
#include "core/units.hpp"
#include "gateway/gateway.hpp"
#include "net/descriptors.hpp"
#include "upstream/catalog_config.hpp"

namespace {

using namespace oai;
using core::Result;

constexpr std::string_view kCommand = "oaigw serve";

struct ServeOptions {
    std::string config;
    std::optional<std::string> listen;
    std::optional<std::string> upstream;
    std::optional<std::string> upstream_key;
    std::optional<unsigned> workers;
    std::optional<std::string> store;
    cli::Duration drain{std::chrono::seconds{30}};
};

Result<gateway::Config> make_config(const ServeOptions& options, const config::Environment& environment) {
    // With --upstream the environment's upstream is not asked for, and may be one that could not be used.
    const config::Environment defaults = [&](std::string_view name) -> std::optional<std::string> {
        if (options.upstream && name.starts_with("OPENAI_")) return std::nullopt;
        return environment(name);
    };
    Result<gateway::Config> config =
        options.config.empty() ? gateway::default_config(defaults) : gateway::load_config(options.config, environment);
    if (!config) return config;
    const auto named = [](std::string_view flag, core::Error error) {
        error.detail = std::string(flag) + ": " + error.detail;
        return error;
    };
    if (options.listen) {
        const Result<net::ListenAddress> listen = net::parse_listen_address(*options.listen);
        if (!listen) return named("--listen", listen.error());
        config->listen = *listen;
    }
    if (options.upstream) {
        std::string key;
        if (options.upstream_key) {
            Result<std::string> read = config::read_secret_option("--upstream-key", *options.upstream_key, environment);
            if (!read) return read.error();
            key = std::move(*read);
        } else {
            key = environment("OPENAI_API_KEY").value_or("");
        }
        Result<upstream::Catalog> catalog = upstream::single_upstream(*options.upstream, key);
        if (!catalog) return named("--upstream", catalog.error());
        config->catalog = std::move(*catalog);
    }
    if (options.workers) config->workers = *options.workers;
    if (options.store) {
        config->store_url = *options.store;
        config->data_dir = gateway::data_dir_of(*options.store);
    }
    return config;
}

int run_serve(const ServeOptions& options, std::ostream& out) {
    const Result<gateway::Config> config = make_config(options, config::process_environment());
    if (!config) return cli::fail(kCommand, config.error());

    // Blocked before any thread starts, so that every thread inherits it and sigwait below is the one to see them.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    // Every connection takes a descriptor, and many systems begin with 1,024.
    if (const Result<net::DescriptorLimit> limit = net::raise_descriptor_limit(); !limit)
        core::log(core::LogLevel::warn, limit.error().detail);

    gateway::FirstKeys made;
    const Result<std::unique_ptr<gateway::Gateway>> gateway = gateway::Gateway::start(*config, made);
    if (!gateway) return cli::fail(kCommand, gateway.error());
    if (const Result<void> shown = gateway::announce(made, config->data_dir, ::isatty(STDERR_FILENO) == 1); !shown)
        return cli::fail(kCommand, shown.error());
    if (config->catalog.providers().empty())
        core::log(
            core::LogLevel::warn,
            "no upstream is configured: requests get 503 until one is (--upstream, OPENAI_BASE_URL, or [[provider]])");
    net::ListenAddress address = config->listen;
    address.port = (*gateway)->port();
    out << "oaigw listening on http://" << address.text() << std::endl;

    int signal = 0;
    sigwait(&signals, &signal);
    core::log(core::LogLevel::info, "stopping: running answers may end",
              {{"within", core::format_duration(options.drain.value)}});
    const bool clean = (*gateway)->drain(options.drain.value);
    if (!clean) core::log(core::LogLevel::warn, "some answers were cut: they took longer than the drain time");
    return cli::kPass;
}

}  // namespace

void add_serve(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<ServeOptions>();
    CLI::App* cmd = app.add_subcommand("serve", "Carry traffic until SIGINT or SIGTERM");
    cmd->add_option("--config,-c", options->config,
                    "Configuration file (oaigw init writes one); without it: embedded defaults");
    cmd->add_option("--listen", options->listen, "Address and port [127.0.0.1:5231]; port 0: the system chooses");
    cmd->add_option("--upstream", options->upstream,
                    "One upstream for every model, such as http://127.0.0.1:9180 (environment: OPENAI_BASE_URL)");
    cmd->add_option("--upstream-key", options->upstream_key, "Its API key, or @file (environment: OPENAI_API_KEY)");
    cmd->add_option("--workers", options->workers, "Threads [one per core]");
    cmd->add_option("--store", options->store, "sqlite:PATH or memory: [sqlite:data/oaigw.db]");
    cmd->add_option("--drain", options->drain, "How long running answers may take at the end [30s]")
        ->transform(cli::duration());
    cmd->callback([options, &exit_code] { exit_code = run_serve(*options, std::cout); });
}
