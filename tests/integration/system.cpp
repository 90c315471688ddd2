#include "integration/system.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdlib.h>
#include <system_error>

#include <doctest/doctest.h>

namespace oai::test {
namespace {

Command mock_command(const std::vector<std::string>& arguments, std::uint16_t port) {
    Command command{.program = kOaiperf,
                    .arguments = {"mock", "--listen", "127.0.0.1:" + std::to_string(port)},
                    .environment = {},
                    .folder = {}};
    command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
    return command;
}

Command gateway_command(const GatewayOptions& options, const Folder& folder) {
    Command command{.program = kOaigw,
                    .arguments = {"serve", "--listen", "127.0.0.1:0", "--store", "memory:"},
                    .environment = {{"OAIGW_CLIENT_KEY", kClientKey}, {"OAIGW_ADMIN_KEY", kAdminKey}},
                    .folder = folder.path()};
    std::vector<std::string>& arguments = command.arguments;
    if (!options.upstream.empty())
        arguments.insert(arguments.end(), {"--upstream", options.upstream, "--upstream-key", kUpstreamKey});
    if (!options.config.empty()) {
        write_file(folder / "oaigw.toml", options.config);
        arguments.insert(arguments.end(), {"--config", "oaigw.toml"});
    }
    arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
    if (std::ranges::find(arguments, "--drain") == arguments.end())
        arguments.insert(arguments.end(), {"--drain", "1ms"});
    return command;
}

/// A program that a test has killed has ended as it should.
void end_well(Process& process, const char* name) {
    process.signal(SIGTERM);
    const std::optional<int> code = process.wait();
    CAPTURE(std::string(name));
    CAPTURE(process.err());
    CHECK((code == 0 || code == 128 + SIGKILL));
}

Finished run_program(const char* program, std::vector<std::string> arguments, std::chrono::milliseconds patience) {
    return run(Command{.program = program, .arguments = std::move(arguments), .environment = {}, .folder = {}},
               patience);
}

}  // namespace

Folder::Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "oai-integration-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
}

Folder::~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write_file(const std::filesystem::path& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    REQUIRE(file.flush());
}

json::Value parse_json(const std::string& text) {
    core::Result<json::Value> value = json::Value::parse(text);
    CAPTURE(text.substr(0, 300));
    CHECK(value.has_value());
    return value ? std::move(*value) : json::Value();
}

std::int64_t number_at(const json::Value& value, std::string_view path) {
    const json::Value* found = value.find_path(path);
    return found == nullptr ? -1 : found->as_int().value_or(-1);
}

std::string text_at(const json::Value& value, std::string_view path) {
    const json::Value* found = value.find_path(path);
    return found == nullptr ? std::string() : std::string(found->as_string().value_or(""));
}

Mock::Mock(const std::vector<std::string>& arguments, std::uint16_t port)
    : process(mock_command(arguments, port)), port_(process.port()) {
    CAPTURE(process.err());
    REQUIRE(port_ != 0);
}

Mock::~Mock() {
    end_well(process, "oaiperf mock");
}

Gateway::~Gateway() {
    end_well(process, "oaigw serve");
}

Gateway::Gateway(const GatewayOptions& options) : process(gateway_command(options, folder_)), port_(process.port()) {
    CAPTURE(process.err());
    REQUIRE(port_ != 0);
}

json::Value Gateway::admin(const std::string& path) const {
    const Answer answer = ask(port_, request("GET", path, "x-api-key: " + kAdminKey + "\r\n", ""));
    CHECK(answer.status == 200);
    return parse_json(answer.body);
}

json::Value Gateway::overview(const std::string& query) const {
    return admin("/api/v1/admin/ops/dashboard/overview?" + query);
}

std::string key_line() {
    return "authorization: Bearer " + kClientKey + "\r\n";
}

std::string post(std::string_view path, std::string_view body, std::string_view head) {
    return request("POST", path, key_line() + "content-type: application/json\r\n" + std::string(head), body);
}

std::string responses_body(std::string_view model, bool stream) {
    return R"({"model":")" + std::string(model) + R"(","input":"hi")" + (stream ? R"(,"stream":true})" : "}");
}

std::string chat_body(std::string_view model, bool stream) {
    return R"({"model":")" + std::string(model) + R"(","messages":[{"role":"user","content":"hi"}])" +
           (stream ? R"(,"stream":true})" : "}");
}

std::string error_of(const Answer& answer, const std::string& member) {
    const core::Result<json::Value> value = json::Value::parse(answer.body);
    return value ? text_at(*value, "error." + member) : std::string();
}

Finished perf(std::vector<std::string> arguments, std::chrono::milliseconds patience) {
    return run_program(kOaiperf, std::move(arguments), patience);
}

Finished guard(std::vector<std::string> arguments, std::chrono::milliseconds patience) {
    arguments.insert(arguments.begin(), "check");
    return run_program(kOaiguard, std::move(arguments), patience);
}

std::filesystem::path run_folder(const std::filesystem::path& reports) {
    std::vector<std::filesystem::path> folders;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(reports, none)) {
        if (entry.is_directory()) folders.push_back(entry.path());
    }
    REQUIRE(folders.size() == 1);
    return folders.front();
}

}  // namespace oai::test
