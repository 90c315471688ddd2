#include "cmd_mock.hpp"

#include <csignal>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "mock/fault.hpp"
#include "mock/options.hpp"
#include "mock/server.hpp"

namespace {

using oai::core::Result;

int fail(const oai::core::Error& error) {
    std::cerr << "oaiperf mock: " << error.detail << '\n';
    return 1;
}

int run_mock(const oai::mock::OptionTexts& texts) {
    Result<oai::mock::ServerOptions> options = oai::mock::read_options(texts);
    if (!options) return fail(options.error());
    // Blocked before the workers start, so that they inherit it and the signal waits for sigwait below.
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);

    Result<std::unique_ptr<oai::mock::Server>> server = oai::mock::Server::start(std::move(*options));
    if (!server) return fail(server.error());
    std::cout << "mock upstream listening on " << (*server)->url() << std::endl;
    int signal = 0;
    sigwait(&ends, &signal);
    (*server)->stop();
    return 0;
}

}  // namespace

void add_mock(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<oai::mock::OptionTexts>();
    CLI::App* cmd =
        app.add_subcommand("mock", "A scripted upstream: answers, delays and faults by distribution and seed");
    const auto text = [&](const char* name, auto& into, const char* help) {
        cmd->add_option(name, into, help)->capture_default_str();
    };
    text("--listen", options->listen, "Address; port 0 lets the system choose");
    cmd->add_option("--tls-cert", options->tls_certificate, "Answer https: certificate with its chain, a PEM file");
    cmd->add_option("--tls-key", options->tls_key, "Its key, a PEM file without a passphrase");
    text("--workers", options->workers, "Threads");
    text("--seed", options->seed, "Same seed, same answers and faults for request 1, 2, 3 ...");
    cmd->add_option("--log", options->log_file, "Send log: a JSON line per request, with what was sent when");
    cmd->add_option("--model", options->models, "A model of GET /v1/models; may be repeated");
    text("--first-byte", options->first_byte, "Receipt to status line, such as 5ms (same forms as --ttft)");
    text("--ttft", options->ttft,
         "Receipt to first output: 20ms uniform(10ms,30ms) normal(20ms,5ms) lognormal(20ms,0.4) exp(20ms)");
    text("--gap", options->gap, "Between two output events");
    text("--latency", options->latency, "Receipt to an answer that is no stream");
    text("--tokens", options->tokens, "Output tokens: 16, 8-32, normal(16,4) ...");
    text("--error-rate", options->error_rate, "Share answered with --error-status");
    text("--error-status", options->error_status, "From 400 to 599");
    text("--retry-after", options->retry_after, "Sent with 429 and 503");
    text("--hang-rate", options->hang_rate, "Share never answered");
    text("--stall-rate", options->stall_rate, "Share that begins and then rests");
    text("--cut-rate", options->cut_rate, "Share whose connection closes in the middle");
    text("--error-event-rate", options->error_event_rate, "Share of streams that end with an error event");
    text("--slow-rate", options->slow_rate, "Share that comes later by --slow");
    text("--slow", options->slow, "Delay of those");
    cmd->add_flag("--gzip", options->gzip, "Every answer with content-encoding gzip, whatever was asked for");
    cmd->add_option("--fault-rate", options->fault_rates, "<percent>=<fault>: any fault by its share; may be repeated");
    cmd->add_option("--fault-at", options->fault_at,
                    "<from>-<to>=<fault>: 10s-20s=error-503 since the start; may be repeated");
    cmd->add_option("--fault-for-key", options->fault_for_key,
                    "<credential>=<fault>: for requests that show it; may be repeated");
    cmd->add_option("--api-key", options->api_keys,
                    "Without it, or a token of POST /oauth/token, the answer is 401; may be repeated");
    text("--oauth-expires-in", options->oauth_expires_in, "Life of an access token of POST /oauth/token");
    cmd->add_flag("--oauth-rotate", options->oauth_rotate, "Each use of a refresh token ends it and brings the next");
    cmd->add_option("--refresh-token", options->refresh_tokens, "The only good ones to begin with; may be repeated");
    cmd->add_flag("--control", options->control, "Serve /mock/faults and /mock/requests, and keep what was received");
    text("--control-body", options->control_body, "Bytes that are kept of each body received");
    cmd->footer("Faults, for the options above, the header x-mock-fault or a model name (gpt-5-mock-hang):\n  " +
                oai::mock::known_faults() +
                "\nmock-tool in a model's name calls the request's tool, mock-reasoning summarizes reasoning first.\n"
                "Endpoints: /v1/responses, chat/completions, completions, embeddings, moderations, images, audio,\n"
                "  messages, models, files, uploads, batches, fine_tuning, vector_stores, assistants, threads,\n"
                "  conversations, containers, evals; /openai/deployments/{d}/...; /oauth/token.");
    cmd->callback([options, &exit_code] { exit_code = run_mock(*options); });
}
