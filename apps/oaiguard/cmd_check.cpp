#include "cmd_check.hpp"

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "cli/console.hpp"
#include "cli/duration.hpp"
#include "cli/options.hpp"
#include "rollout/check.hpp"

namespace {

using namespace oai;

struct Options {
    rollout::CheckOptions check;
    cli::Duration timeout{std::chrono::seconds{15}};
};

int run(Options& options) {
    rollout::CheckOptions& check = options.check;
    check.environment = config::process_environment();
    check.timeout = options.timeout.value;
    check.tool_version = OAI_VERSION;
    const cli::Console console = cli::stdout_console(check.environment);
    check.terminal = {.unicode = console.unicode, .color = console.color};
    return rollout::run_check(check, std::cout, std::cerr);
}

/// A script that writes --version "$VERSION" and has no VERSION must not judge all versions instead.
CLI::Validator not_empty() {
    return {[](std::string& text) { return text.empty() ? std::string("its value is empty") : std::string(); }, ""};
}

}  // namespace

void add_check(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<Options>();
    rollout::CheckOptions& check = options->check;
    CLI::App* cmd = app.add_subcommand("check", "Judge a window of traffic: 0 pass, 1 error, 2 breach, 3 inconclusive");
    cmd->add_option("--base-url", check.base_url, "Gateway (oaigw or sub2api), such as http://127.0.0.1:5231")
        ->check(not_empty());
    cmd->add_option("--report", check.report_file, "Or a file: report.json or samples.oais of oaiperf")
        ->check(not_empty());
    cli::add_tls_options(*cmd, check.ca_file, check.insecure);
    cmd->add_option("--admin-token", check.admin_token, "As it is, @FILE or env:NAME")->envname("OAIGUARD_ADMIN_TOKEN");
    cmd->add_option("--platform", check.platform, "Traffic of this platform; empty for all")->capture_default_str();
    cmd->add_option("--group-id", check.group_id, "Traffic of this group");
    cmd->add_option("--provider", check.provider, "Traffic of this provider (oaigw)")->check(not_empty());
    cmd->add_option("--version", check.version, "Traffic of this version (oaigw)")->check(not_empty());
    cmd->add_option("--model", check.model, "Traffic of this model (oaigw)")->check(not_empty());
    cmd->add_option("--time-range", check.time_range, "The last 5m 30m 1h 6h 24h 7d 30d [30m]")->check(not_empty());
    cmd->add_option("--start-time,--since", check.start_time, "Or from an instant, such as 2026-02-12T09:00:00Z")
        ->check(not_empty());
    cmd->add_option("--end-time", check.end_time, "To an instant [now]")->check(not_empty());
    cmd->add_option("--set", check.set, "Limits: target or rollback [the server's, else target]")->check(not_empty());
    cmd->add_option("--limits", check.limits_file,
                    "Limits: a file, in the form of oai.limits/1 or of metric-thresholds")
        ->check(not_empty());
    cmd->add_option("--limit", check.limits, "One limit more, or instead, such as 'ttft.p99 <= 900ms'; repeatable")
        ->check(not_empty())
        ->allow_extra_args(false);
    cmd->add_option("--rates", check.rates, "Of a server without counts: fraction or percent")->check(not_empty());
    cmd->add_option("--timeout", options->timeout, "For each request")
        ->transform(cli::duration())
        ->capture_default_str();
    cmd->add_option("--inconclusive", check.inconclusive, "Make of exit 3 a pass or a breach")->check(not_empty());
    cmd->add_flag("--json", check.json, "The report as JSON on stdout; the verdict line goes to stderr");
    cmd->add_flag("--metrics", check.metrics,
                  "Only the oai.metrics/1 block on stdout, one line; verdict line as above");
    cmd->add_option("--md", check.markdown_file, "Write the report as Markdown to this file")->check(not_empty());
    cmd->add_option("--junit", check.junit_file, "Write the rules as JUnit test cases to this file")
        ->check(not_empty());
    cmd->add_flag("--github", check.github, "Print annotations for GitHub Actions");
    cmd->add_flag("--quiet,-q", check.quiet, "Nothing but the verdict line");
    cmd->callback([options, &exit_code] { exit_code = run(*options); });
}
