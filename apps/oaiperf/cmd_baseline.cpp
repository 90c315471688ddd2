#include "cmd_baseline.hpp"

#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include "cli/console.hpp"
#include "cli/interrupt.hpp"
#include "cli/options.hpp"
#include "cli/program.hpp"
#include "config/environment.hpp"
#include "core/units.hpp"
#include "loadgen/options.hpp"

namespace {

using namespace oai;
using core::Result;

constexpr std::string_view kCommand = "oaiperf baseline";

struct BaselineOptions {
    cli::TargetOptions target;
    cli::OutputOptions output;
    loadgen::OptionTexts texts;
    bool embedded = false;
};

/// One line that replaces itself.
class ProgressLine {
public:
    void show(const loadgen::Progress& p) {
        const auto whole_seconds = [](std::chrono::nanoseconds d) {
            return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(d).count());
        };
        const double seconds = std::chrono::duration<double>(p.elapsed).count();
        char rate[32];
        std::snprintf(rate, sizeof rate, "%.1f", seconds > 0 ? static_cast<double>(p.finished) / seconds : 0.0);
        std::string line = whole_seconds(std::min(p.elapsed, p.planned)) + "/" + whole_seconds(p.planned) + " s";
        line += "  " + std::to_string(p.finished) + " done, " + rate + " per second";
        line += "  in flight " + std::to_string(p.in_flight);
        if (p.response_p99) line += "  p99 " + core::format_ms(p.response_p99->count()) + " ms";
        line += "  failed " + std::to_string(p.failed);
        if (p.dropped != 0) line += "  dropped " + std::to_string(p.dropped);
        line += "  lag max " + core::format_ms(p.lag_max.count()) + " ms";
        std::cerr << "\r\033[K" << line << std::flush;
        shown_ = true;
    }
    void clear() {
        if (std::exchange(shown_, false)) std::cerr << "\r\033[K" << std::flush;
    }

private:
    bool shown_ = false;
};

Result<loadgen::Target> make_target(const BaselineOptions& options, const loadgen::BaselinePlan& plan,
                                    const loadgen::StartEmbedded& start_embedded, std::shared_ptr<void>& keep) {
    if (!options.embedded) {
        auto tls = net::TlsClientContext::make({.ca_file = options.target.ca_file, .verify = !options.target.insecure});
        if (!tls) {
            tls.error().detail = "--ca-file: " + tls.error().detail;
            return tls.error();
        }
        Result<loadgen::Target> target = loadgen::make_target(plan.base_url, plan.api_key, *std::move(tls));
        if (!target) target.error().detail = "--base-url: " + target.error().detail;
        return target;
    }
    Result<loadgen::Embedded> embedded = start_embedded();
    if (!embedded) return std::move(embedded.error());
    keep = std::move(embedded->keep);
    embedded->target.embedded = true;
    return std::move(embedded->target);
}

int run_baseline(BaselineOptions& options, const loadgen::StartEmbedded& start_embedded, std::ostream& out) {
    const config::Environment environment = config::process_environment();
    options.texts.base_url = options.target.base_url;
    options.texts.api_key = options.target.api_key;
    options.texts.timeout = options.target.timeout;
    const Result<loadgen::BaselinePlan> plan = loadgen::read_options(options.texts, environment);
    if (!plan) return cli::fail(kCommand, plan.error());
    std::shared_ptr<void> keep;
    const Result<loadgen::Target> target = make_target(options, *plan, start_embedded, keep);
    if (!target) return cli::fail(kCommand, target.error());

    ProgressLine progress;
    loadgen::RunOptions run_options{.workers = plan->workers, .stop = &cli::catch_interrupts()};
    if (cli::stderr_console(environment).terminal && !options.output.quiet)
        run_options.on_progress = [&](const loadgen::Progress& p) { progress.show(p); };
    const Result<loadgen::BaselineRun> done =
        loadgen::run_baseline(plan->scenario, *target, run_options, options.output.out);
    progress.clear();
    if (!done) return cli::fail(kCommand, done.error());

    const cli::Console console = cli::stdout_console(environment);
    const std::string last = loadgen::last_line(done->report);
    if (options.output.json) {
        out << report::write_json(done->report);
        std::cerr << last << '\n';  // stdout is the document, whole
    } else {
        if (!options.output.quiet)
            out << report::write_terminal(done->report, {.unicode = console.unicode, .color = console.color});
        if (!options.output.quiet) out << "Reports in " << done->folder.string() << "\n";
        out << last << '\n';
    }
    out.flush();
    return report::exit_code(done->report);
}

}  // namespace

void add_baseline(CLI::App& app, int& exit_code, loadgen::StartEmbedded start_embedded) {
    auto options = std::make_shared<BaselineOptions>();
    CLI::App* cmd = app.add_subcommand("baseline", "How fast it is: a constant load, its percentiles and its verdict");
    cli::add_target_options(*cmd, options->target);
    loadgen::OptionTexts& texts = options->texts;
    cmd->add_option("--model", texts.model, "Model of every request (environment: MODEL) [gpt-5]");
    cmd->add_option("--non-stream-rps", texts.non_stream_rps,
                    "Requests per second without a stream, 0 for none (environment: NON_STREAM_RPS) [8]");
    cmd->add_option("--stream-rps", texts.stream_rps,
                    "Requests per second that stream, 0 for none (environment: STREAM_RPS) [4]");
    cmd->add_option("--duration", texts.duration, "Of the arrivals, such as 3m (environment: DURATION) [3m]");
    cmd->add_option(
        "--max-vus", texts.max_vus,
        "Requests in flight at most; an arrival beyond is dropped and the run invalid (environment: MAX_VUS) [200]");
    cmd->add_option("--pre-allocated-vus", texts.pre_allocated_vus,
                    "Checked against --max-vus and otherwise without effect: nothing needs to be allocated before "
                    "(environment: PRE_ALLOCATED_VUS) [30]");
    cmd->add_option("--endpoint", texts.endpoint, "/v1/responses or /v1/chat/completions [/v1/responses]");
    cmd->add_option("--prompt", texts.prompt, "The user's message");
    cmd->add_option("--max-output-tokens", texts.max_output_tokens, "Limit in every request [32]");
    cmd->add_option("--user-agent", texts.user_agent, "[codex_cli_rs/0.1.0]");
    cmd->add_option("--workers", texts.workers, "I/O threads of the generator [1]");
    cli::add_output_options(*cmd, options->output);
    if (start_embedded)
        cmd->add_flag("--embedded", options->embedded, "Against a gateway and a mock upstream started in this process");
    cmd->callback([options, &exit_code, start = std::move(start_embedded)] {
        exit_code = run_baseline(*options, start, std::cout);
    });
}
