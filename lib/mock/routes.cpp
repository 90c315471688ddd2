#include "mock/routes.hpp"

#include <span>

#include "mock/call.hpp"

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
    {.method = "POST", .path = "/v1/images/edits", .takes_json = true, .format = images_format, .takes_form = true},
    {.method = "POST",
     .path = "/v1/images/variations",
     .takes_json = true,
     .format = images_format,
     .takes_form = true},
    {.method = "POST",
     .path = "/v1/audio/transcriptions",
     .takes_json = true,
     .format = transcription_format,
     .takes_form = true},
    {.method = "POST",
     .path = "/v1/audio/translations",
     .takes_json = true,
     .format = transcription_format,
     .takes_form = true},
    {.method = "GET", .path = "/v1/models", .format = model_list_format},
    {.method = "GET", .path = "/v1/models/*", .format = model_format},
    {.method = "GET", .path = "/v1/responses/*", .act = get_response},
    {.method = "DELETE", .path = "/v1/responses/*", .act = delete_response},
    {.method = "POST", .path = "/v1/responses/*/cancel", .act = cancel_response},
    {.method = "GET", .path = "/v1/responses/*/input_items", .act = list_input_items},
    {.method = "GET", .path = "/v1/chat/completions", .act = list_chats},
    {.method = "GET", .path = "/v1/chat/completions/*", .act = get_chat},
    {.method = "DELETE", .path = "/v1/chat/completions/*", .act = delete_chat},
    {.method = "GET", .path = "/v1/chat/completions/*/messages", .act = get_chat_messages},
    {.method = "POST", .path = "/v1/threads/runs", .act = create_thread_and_run},
};

/// Not under /v1.
constexpr Route kOthers[] = {
    {.method = "POST", .path = "/oauth/token", .act = refresh_token, .kind = Route::Kind::token},
    {.method = "GET", .path = "/mock/faults", .act = get_faults, .kind = Route::Kind::control},
    {.method = "PUT", .path = "/mock/faults", .act = put_faults, .kind = Route::Kind::control},
    {.method = "GET", .path = "/mock/requests", .act = get_requests, .kind = Route::Kind::control},
    {.method = "DELETE", .path = "/mock/requests", .act = clear_requests, .kind = Route::Kind::control},
};

// What every row of the resources has; their paths are those of the row.
constexpr Route kCollection[] = {
    {.method = "POST", .path = {}, .act = create_object, .takes_form = true},
    {.method = "GET", .path = {}, .act = list_objects},
};
constexpr Route kObject[] = {
    {.method = "GET", .path = {}, .act = get_object},
    {.method = "POST", .path = {}, .act = update_object},
    {.method = "DELETE", .path = {}, .act = delete_object},
};
constexpr Route kVerb[] = {
    {.method = "GET", .path = {}, .act = act_on_object},
    {.method = "POST", .path = {}, .act = act_on_object},
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
    constexpr std::string_view kAzure = "/openai", kDeployments = "/deployments/";
    if (path.starts_with(kAzure)) {
        path.remove_prefix(kAzure.size());
        if (path.starts_with(kDeployments)) {
            const Cut cut = cut_segment(path.substr(kDeployments.size() - 1));
            deployment = cut.segment;
            path = cut.rest;
            return true;
        }
    }
    if (!path.starts_with("/v1/")) return false;
    path.remove_prefix(kVersion.size());
    return true;
}

/// Takes the segments of `pattern` off `path`; what is left of it is `rest`.
bool begins(std::string_view pattern, std::string_view path, RouteMatch& match, std::size_t& stars,
            std::string_view& rest) noexcept {
    while (!pattern.empty()) {
        if (path.empty()) return false;
        const Cut want = cut_segment(pattern), got = cut_segment(path);
        if (want.segment == "*" && !got.segment.empty()) {
            match.segments[stars++] = got.segment;
        } else if (want.segment != got.segment) {
            return false;
        }
        pattern = want.rest;
        path = got.rest;
    }
    rest = path;
    return true;
}

bool matches(std::string_view pattern, std::string_view path, RouteMatch& match) noexcept {
    std::size_t stars = 0;
    std::string_view rest;
    return begins(pattern, path, match, stars, rest) && rest.empty();
}

void choose(std::span<const Route> routes, std::string_view method, RouteMatch& match) noexcept {
    match.path_known = true;
    for (const Route& route : routes) {
        if (route.method == method) match.route = &route;
    }
}

/// The collection of a row, one of its objects, or what may be done with one.
void match_resource(std::string_view method, std::string_view path, RouteMatch& match) noexcept {
    for (const Resource& row : resources()) {
        std::size_t stars = 0;
        std::string_view rest;
        if (!begins(row.path.substr(kVersion.size()), path, match, stars, rest)) continue;
        const Cut id = rest.empty() ? Cut{} : cut_segment(rest);
        const Cut verb = id.rest.empty() ? Cut{} : cut_segment(id.rest);
        if (!verb.rest.empty() || (!rest.empty() && id.segment.empty())) continue;
        match.resource = &row;
        if (rest.empty()) return choose(kCollection, method, match);
        match.segments[stars] = id.segment;
        match.verb = verb.segment;
        // "/v1/threads/x/messages" is no verb of a thread but a collection, further down in the table.
        if (id.rest.empty()) return choose(kObject, method, match);
        choose(kVerb, method, match);
    }
}

}  // namespace

RouteMatch find_route(std::string_view method, std::string_view path) noexcept {
    RouteMatch match;
    for (const Route& route : kOthers) {
        if (route.path == path) match.path_known = true;
        if (route.path == path && route.method == method) match.route = &route;
    }
    if (match.path_known || !drop_prefix(path, match.deployment)) return match;
    for (const Route& route : kRoutes) {
        if (!matches(route.path.substr(kVersion.size()), path, match)) continue;
        match.path_known = true;
        match.shape = route.shape;
        if (route.method != method) continue;
        match.route = &route;
        return match;
    }
    if (!match.path_known) match_resource(method, path, match);
    return match;
}

}  // namespace oai::mock
