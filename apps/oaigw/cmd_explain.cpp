#include <array>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/duration.hpp"
#include "cli/exit_code.hpp"
#include "cli/program.hpp"
#include "commands.hpp"
#include "config/secret.hpp"
#include "http/client.hpp"
#include "json/value.hpp"

namespace {

using namespace oai;

constexpr std::string_view kCommand = "oaigw explain";

struct ExplainOptions {
    std::string base_url = "http://127.0.0.1:5231";
    std::string admin_token;
    std::string model;
    std::string key;
    std::string session;
    bool json = false;
    cli::Duration timeout{std::chrono::seconds{15}};
};

std::string text_of(const json::Value& object, std::string_view name) {
    const json::Value* value = object.find(name);
    if (value == nullptr || value->is_null()) return "-";
    if (const auto text = value->as_string()) return std::string(*text);
    if (const auto flag = value->as_bool()) return *flag ? "yes" : "no";
    if (const auto number = value->as_int()) return std::to_string(*number);
    if (const auto number = value->as_double()) {
        std::array<char, 32> text{};
        std::snprintf(text.data(), text.size(), "%.3f", *number);
        return text.data();
    }
    return "-";
}

void print(const json::Value& data, std::ostream& out) {
    out << "model " << text_of(data, "model") << " -> " << text_of(data, "provider") << " " << text_of(data, "version")
        << " as " << text_of(data, "upstream_model") << " (version by " << text_of(data, "version_by") << ")\n";
    out << "session is at " << text_of(data, "session_account") << "; " << text_of(data, "waiting")
        << " request(s) wait\n";
    const json::Value* accounts = data.find("accounts");
    if (accounts == nullptr) return;
    for (const json::Value& account : accounts->items()) {
        const bool eligible = text_of(account, "eligible") == "yes";
        out << "  " << text_of(account, "account") << ": " << (eligible ? "eligible" : text_of(account, "reason"));
        if (!eligible && text_of(account, "until_ms") != "-") out << " for " << text_of(account, "until_ms") << " ms";
        out << ", score " << text_of(account, "score") << ", in flight " << text_of(account, "in_flight") << " of "
            << (text_of(account, "concurrency") == "0" ? "any" : text_of(account, "concurrency")) << ", errors "
            << text_of(account, "error_rate") << ", ttft " << text_of(account, "ttft_ms") << " ms, breaker "
            << text_of(account, "breaker") << "\n";
    }
}

int run_explain(const ExplainOptions& options, std::ostream& out) {
    const auto failed = [](std::string detail) {
        return cli::fail(kCommand, core::Error{.code = core::Code::invalid_argument, .detail = std::move(detail)});
    };
    const auto token = config::read_secret_option("--admin-token", options.admin_token, config::process_environment());
    if (!token) return cli::fail(kCommand, token.error());
    core::Result<http::Url> url = http::parse_url(options.base_url);
    if (!url) return failed("--base-url: " + url.error().detail);
    http::ClientRequest request;
    request.url = std::move(*url);
    request.target = "/api/v1/admin/ops/explain?model=" + http::percent_encode(options.model) +
                     "&key=" + http::percent_encode(options.key) + "&session=" + http::percent_encode(options.session);
    request.timeout = options.timeout.value;
    if (!token->empty()) request.headers.emplace_back("authorization", "Bearer " + *token);
    const core::Result<http::ClientResponse> response = http::fetch_blocking(request);
    if (!response) return cli::fail(kCommand, response.error());
    const core::Result<json::Value> document = json::Value::parse(response->body);
    const json::Value* data = document ? document->find("data") : nullptr;
    if (response->status != 200 || data == nullptr) {
        const json::Value* message = document ? document->find("message") : nullptr;
        return failed("the gateway answered " + std::to_string(response->status) +
                      (message != nullptr ? ": " + std::string(message->as_string().value_or("")) : std::string()));
    }
    if (options.json) {
        out << response->body << "\n";
    } else {
        print(*data, out);
    }
    return cli::kPass;
}

}  // namespace

void add_explain(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<ExplainOptions>();
    CLI::App* cmd = app.add_subcommand(
        "explain", "Say which version and account a request would get, and why each other account would not");
    cmd->add_option("--base-url", options->base_url, "The running gateway")->capture_default_str();
    cmd->add_option("--admin-token", options->admin_token, "Its admin key: as it is, @FILE or env:NAME")
        ->envname("OAIGW_ADMIN_KEY");
    cmd->add_option("--model", options->model, "As a client would name it")->required();
    cmd->add_option("--key", options->key, "Id of the client key, for its sessions");
    cmd->add_option("--session", options->session, "Session id that the client would send");
    cmd->add_option("--timeout", options->timeout, "For the question [15s]")->transform(cli::duration());
    cmd->add_flag("--json", options->json, "The whole answer as JSON");
    cmd->callback([options, &exit_code] { exit_code = run_explain(*options, std::cout); });
}
