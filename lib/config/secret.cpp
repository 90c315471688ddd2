#include "config/secret.hpp"

#include <cstdlib>
#include <utility>

#include "config/environment.hpp"
#include "config/file.hpp"

namespace oai::config {
namespace {

using core::Code;
using core::Error;
using core::Result;

Result<std::string> from_file(const std::string& path) {
    // More is not a credential but a wrong path, such as /dev/zero.
    constexpr std::size_t kMostBytes = 64 * 1024;
    if (path.empty()) return Error{.code = Code::invalid_argument, .detail = "no file is named: write file:PATH"};
    Result<std::string> read = read_file(path, kMostBytes);
    if (!read) return Error{.code = read.error().code, .detail = "file " + path + " " + read.error().detail};
    std::string text = *std::move(read);
    if (text.size() > kMostBytes)
        return Error{.code = Code::invalid_argument, .detail = "file " + path + " is larger than 64 KiB: not a secret"};
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    if (text.empty()) return Error{.code = Code::invalid_argument, .detail = "file " + path + " is empty"};
    return text;
}

Result<std::string> from_environment(std::string_view name, const Environment& environment) {
    if (name.empty()) return Error{.code = Code::invalid_argument, .detail = "no variable is named: write env:NAME"};
    std::optional<std::string> value = environment(name);
    if (!value || value->empty())
        return Error{.code = Code::invalid_argument,
                     .detail = "environment variable " + std::string(name) + (value ? " is empty" : " is not set")};
    return *std::move(value);
}

}  // namespace

Environment process_environment() {
    return [](std::string_view name) -> std::optional<std::string> {
        const char* value = std::getenv(std::string(name).c_str());
        if (value == nullptr) return std::nullopt;
        return value;
    };
}

Environment empty_environment() {
    return [](std::string_view) { return std::optional<std::string>{}; };
}

Result<std::string> resolve_secret(std::string_view text, const Environment& environment) {
    if (text.starts_with("env:")) return from_environment(text.substr(4), environment);
    if (text.starts_with("file:")) return from_file(std::string(text.substr(5)));
    if (text.empty()) return Error{.code = Code::invalid_argument, .detail = "the secret is empty"};
    return std::string(text);
}

Result<std::string> read_secret_option(std::string_view option, std::string_view text, const Environment& environment) {
    Result<std::string> secret =
        text.starts_with('@') ? from_file(std::string(text.substr(1))) : resolve_secret(text, environment);
    if (!secret) secret.error().detail = std::string(option) + ": " + secret.error().detail;
    return secret;
}

}  // namespace oai::config
