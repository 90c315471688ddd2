#include <filesystem>
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
#include "net/handover.hpp"
#include "takeover.hpp"
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
    std::string control;
    bool take_over = false;
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

/// The file's time of change; the epoch when there is none.
std::filesystem::file_time_type changed_at(const std::string& path) {
    std::error_code missing;
    const auto time = std::filesystem::last_write_time(path, missing);
    return missing ? std::filesystem::file_time_type{} : time;
}

/// A bad file keeps what is in force, and says why.
void reload(gateway::Gateway& gateway, const ServeOptions& options) {
    const Result<gateway::Config> config = make_config(options, config::process_environment());
    gateway::FirstKeys made;
    Result<void> done = config ? gateway.reload(*config, made) : Result<void>(config.error());
    if (done) done = gateway::announce(made, config->data_dir, ::isatty(STDERR_FILENO) == 1);
    if (done) {
        core::log(core::LogLevel::info, "configuration reloaded", {{"file", options.config}});
    } else {
        core::log(core::LogLevel::error, "configuration not reloaded: the one in force stays",
                  {{"reason", done.error().detail}});
    }
}

/// Until a signal or a successor ends it. A file that changes is reloaded, and so is one whose sender sends SIGHUP.
void wait_for_end(const sigset_t& signals, gateway::Gateway& gateway, const ServeOptions& options) {
    auto seen = changed_at(options.config);
    for (;;) {
        const timespec second{.tv_sec = 1, .tv_nsec = 0};
        const int signal = sigtimedwait(&signals, nullptr, &second);
        const auto now = options.config.empty() ? seen : changed_at(options.config);
        if (signal == SIGHUP || (signal < 0 && now != seen)) {
            seen = now;
            reload(gateway, options);
        } else if (signal > 0) {
            return;
        }
    }
}

/// The sockets this process need not open: a predecessor's, or those that whoever started us opened.
Result<std::vector<net::Descriptor>> given_sockets(const std::optional<Predecessor>& predecessor) {
    if (!predecessor) return net::inherited_listeners();
    std::vector<net::Descriptor> sockets;
    for (const net::Descriptor& socket : predecessor->sockets) {
        Result<net::Descriptor> copy = socket.duplicate();
        if (!copy) return copy.error();
        sockets.push_back(std::move(*copy));
    }
    return sockets;
}

void check_descriptors(const gateway::Config& config) {
    const Result<net::DescriptorLimit> limit = net::raise_descriptor_limit();
    // A client that is served holds two: its own and its upstream's; some are files, listeners and timers.
    const std::uint64_t needed = 2 * std::uint64_t{config.max_connections} + 64;
    if (!limit) {
        core::log(core::LogLevel::warn, "the limit of descriptors cannot be read", {{"reason", limit.error().detail}});
    } else if (limit->soft < needed) {
        core::log(core::LogLevel::warn, "the hard limit of descriptors is below what max_connections needs",
                  {{"limit", std::to_string(limit->hard)},
                   {"needed", std::to_string(needed)},
                   {"max_connections", std::to_string(config.max_connections)}});
    }
}

int run_serve(ServeOptions options, std::ostream& out) {
    const Result<gateway::Config> config = make_config(options, config::process_environment());
    if (!config) return cli::fail(kCommand, config.error());
    if (options.control.empty()) options.control = config->data_dir + "/control.sock";
    check_descriptors(*config);

    // Blocked before any thread starts, so that every thread inherits it and the wait below is the one to see them.
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    std::optional<Predecessor> predecessor;
    if (options.take_over) {
        Result<Predecessor> asked = ask_predecessor(options.control);
        if (!asked) return cli::fail(kCommand, asked.error());
        predecessor = std::move(*asked);
    }
    Result<std::vector<net::Descriptor>> sockets = given_sockets(predecessor);
    if (!sockets) return cli::fail(kCommand, sockets.error());

    gateway::FirstKeys made;
    const Result<std::unique_ptr<gateway::Gateway>> gateway =
        gateway::Gateway::start(*config, made, core::system_clock(), std::move(*sockets));
    if (!gateway) return cli::fail(kCommand, gateway.error());
    if (const Result<void> shown = gateway::announce(made, config->data_dir, ::isatty(STDERR_FILENO) == 1); !shown)
        return cli::fail(kCommand, shown.error());
    if (config->catalog.providers().empty())
        core::log(
            core::LogLevel::warn,
            "no upstream is configured: requests get 503 until one is (--upstream, OPENAI_BASE_URL, or [[provider]])");
    if (predecessor) {
        // From here on both accept; the other one stops when it hears this.
        if (const Result<void> told = tell_predecessor(*predecessor); !told) return cli::fail(kCommand, told.error());
        predecessor.reset();
    }
    std::unique_ptr<Successor> successor;
    if (config->store_url != "memory:") {
        Result<std::unique_ptr<Successor>> waiting =
            Successor::wait_for(options.control, (*gateway)->listening_sockets(), [] { ::kill(::getpid(), SIGTERM); });
        if (waiting) {
            successor = std::move(*waiting);
        } else {
            core::log(core::LogLevel::warn, "no other process can take over from this one",
                      {{"reason", waiting.error().detail}});
        }
    }
    out << "oaigw listening on " << (config->tls ? "https://" : "http://") << (*gateway)->address().text() << std::endl;

    wait_for_end(signals, **gateway, options);
    successor.reset();  // its sockets are closed next
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
    cmd->add_option("--control", options->control, "Where the next process asks for our sockets [DATA/control.sock]");
    cmd->add_flag("--take-over", options->take_over,
                  "Take the listening sockets of the gateway that runs now; it ends when its answers have");
    cmd->callback([options, &exit_code] { exit_code = run_serve(*options, std::cout); });
}
