#include "wire/endpoints.hpp"

#include <array>

namespace oai::wire {
namespace {

constexpr std::array kEndpoints{
    Endpoint{.name = "responses",
             .method = "POST",
             .path = "/v1/responses",
             .body = BodyTreatment::json,
             .terminal = Terminal::responses,
             .input_field = "input",
             .output_limit_field = "max_output_tokens"},
    Endpoint{.name = "chat",
             .method = "POST",
             .path = "/v1/chat/completions",
             .body = BodyTreatment::json,
             .terminal = Terminal::chat,
             .input_field = "messages",
             .output_limit_field = "max_completion_tokens"},
    Endpoint{.name = "models",
             .method = "GET",
             .path = "/v1/models",
             .served = Served::models,
             .input_field = {},
             .output_limit_field = {}},
    Endpoint{.name = "model",
             .method = "GET",
             .path = "/v1/models/{id}",
             .served = Served::models,
             .input_field = {},
             .output_limit_field = {}},
};

/// Whether `path` has the shape of `pattern`; the segment at "{id}" goes to `id`.
bool matches(std::string_view pattern, std::string_view path, std::string_view& id) noexcept {
    const std::size_t hole = pattern.find("{id}");
    if (hole == std::string_view::npos) return path == pattern;
    const std::string_view before = pattern.substr(0, hole), after = pattern.substr(hole + 4);
    if (path.size() <= before.size() + after.size() || !path.starts_with(before) || !path.ends_with(after))
        return false;
    id = path.substr(before.size(), path.size() - before.size() - after.size());
    // A model's name may hold a slash ("org/model"): with nothing behind the hole, the rest of the path is the id.
    return after.empty() || id.find('/') == std::string_view::npos;
}

}  // namespace

EndpointMatch match_endpoint(std::string_view method, std::string_view path) noexcept {
    EndpointMatch match;
    for (const Endpoint& endpoint : kEndpoints) {
        std::string_view id;
        if (!matches(endpoint.path, path, id)) continue;
        if (endpoint.method == method) return EndpointMatch{&endpoint, {}, id};
        match.allow = endpoint.method;
    }
    return match;
}

std::string_view name_of(Dialect dialect) noexcept {
    switch (dialect) {
        case Dialect::openai: break;
    }
    return "openai";
}

}  // namespace oai::wire
