#include "mock/routes.hpp"

namespace oai::mock {
namespace {

constexpr Route kRoutes[] = {
    {.method = "POST", .path = "/v1/responses", .takes_json = true, .format = responses_format},
    {.method = "POST", .path = "/v1/responses/compact", .takes_json = true, .format = compact_format},
    {.method = "POST", .path = "/v1/responses/input_tokens", .takes_json = true, .format = input_tokens_format},
    {.method = "POST", .path = "/v1/chat/completions", .takes_json = true, .format = chat_format},
    {.method = "POST", .path = "/v1/completions", .takes_json = true, .format = completions_format},
    {.method = "POST",
     .path = "/v1/messages",
     .takes_json = true,
     .shape = Shape::anthropic,
     .format = messages_format},
    {.method = "POST",
     .path = "/v1/messages/count_tokens",
     .takes_json = true,
     .shape = Shape::anthropic,
     .format = count_tokens_format},
    {.method = "POST", .path = "/v1/embeddings", .takes_json = true, .format = embeddings_format},
    {.method = "POST", .path = "/v1/moderations", .takes_json = true, .format = moderations_format},
    {.method = "POST", .path = "/v1/images/generations", .takes_json = true, .format = images_format},
    {.method = "POST", .path = "/v1/audio/speech", .takes_json = true, .format = speech_format},
    {.method = "GET", .path = "/v1/models", .format = model_list_format},
    {.method = "GET", .path = "/v1/models/*", .format = model_format},
};

constexpr std::string_view kVersion = "/v1";

/// The first segment of `path`, which begins with '/', and what follows it.
struct Cut {
    std::string_view segment, rest;
};
Cut cut_segment(std::string_view path) noexcept {
    const std::size_t end = path.find('/', 1);
    return end == std::string_view::npos ? Cut{path.substr(1), {}} : Cut{path.substr(1, end - 1), path.substr(end)};
}

/// Drops what the spellings of one endpoint differ in. False when `path` is none of them.
bool drop_prefix(std::string_view& path, std::string_view& deployment) noexcept {
    constexpr std::string_view kAzure = "/openai", kDeployments = "/deployments";
    if (path.starts_with(kAzure)) {
        path.remove_prefix(kAzure.size());
        if (path.starts_with(kDeployments)) {
            const Cut cut = cut_segment(path.substr(kDeployments.size()));
            deployment = cut.segment;
            path = cut.rest;
            return true;
        }
    }
    if (!path.starts_with("/v1/")) return false;
    path.remove_prefix(kVersion.size());
    return true;
}

bool matches(std::string_view pattern, std::string_view path, RouteMatch& match) noexcept {
    std::size_t stars = 0;
    while (!pattern.empty() && !path.empty()) {
        const Cut want = cut_segment(pattern), got = cut_segment(path);
        if (want.segment == "*" && !got.segment.empty()) {
            match.segments[stars++] = got.segment;
        } else if (want.segment != got.segment) {
            return false;
        }
        pattern = want.rest;
        path = got.rest;
    }
    return pattern.empty() && path.empty();
}

}  // namespace

RouteMatch find_route(std::string_view method, std::string_view path) noexcept {
    RouteMatch match;
    if (!drop_prefix(path, match.deployment)) return match;
    for (const Route& route : kRoutes) {
        if (!matches(route.path.substr(kVersion.size()), path, match)) continue;
        match.path_known = true;
        match.shape = route.shape;
        if (route.method != method) continue;
        match.route = &route;
        break;
    }
    return match;
}

}  // namespace oai::mock
