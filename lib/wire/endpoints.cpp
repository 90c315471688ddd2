#include "wire/endpoints.hpp"

#include <algorithm>
#include <array>

namespace oai::wire {
namespace {

using enum BodyTreatment;
using Resource::list, Resource::made, Resource::named;

constexpr FieldRule kModel{"model", kString, true};
constexpr FieldRule kModelIfAny{"model", kString | kNull, false};
constexpr FieldRule kStream{"stream", kBoolean | kNull, false};
constexpr FieldRule kStore{"store", kBoolean | kNull, false};
constexpr FieldRule kCacheKey{"prompt_cache_key", kString | kNull, false};
constexpr FieldRule kPreviousResponse{"previous_response_id", kString | kNull, false};

constexpr std::array kResponsesFields{
    kModel,
    FieldRule{"input", kString | kArray | kNull, false},
    kStream,
    kStore,
    kPreviousResponse,
    kCacheKey,
    FieldRule{"conversation", kString | kObject | kNull, false},
    FieldRule{"max_output_tokens", kNumber | kNull, false},
};
constexpr std::array kChatFields{
    kModel,
    FieldRule{"messages", kArray, true},
    kStream,
    kStore,
    kCacheKey,
    FieldRule{"stream_options", kObject | kNull, false},
    FieldRule{"max_completion_tokens", kNumber | kNull, false},
    FieldRule{"max_tokens", kNumber | kNull, false},
};
constexpr std::array kCompletionsFields{
    kModel,
    FieldRule{"prompt", kString | kArray | kNull, false},
    kStream,
    FieldRule{"stream_options", kObject | kNull, false},
    FieldRule{"max_tokens", kNumber | kNull, false},
};
constexpr std::array kMessagesFields{
    kModel,
    FieldRule{"messages", kArray, true},
    kStream,
    FieldRule{"max_tokens", kNumber, true},
};
constexpr std::array kCountTokensFields{kModel, FieldRule{"messages", kArray, true}};
constexpr std::array kEmbeddingsFields{kModel, FieldRule{"input", kString | kArray, true}};
constexpr std::array kModerationsFields{kModelIfAny, FieldRule{"input", kString | kArray, true}};
constexpr std::array kImageFields{kModelIfAny, FieldRule{"prompt", kString, true}, kStream};
constexpr std::array kSpeechFields{kModel, FieldRule{"input", kString, true}};
/// What things that live at an account are made of: other things that live there.
constexpr std::array kResourceFields{kModelIfAny, kStream};

/// Things that live at an account: made, listed, and everything below one of them.
constexpr Endpoint resource(std::string_view name, std::string_view method, std::string_view path, Resource what,
                            BodyTreatment body = json) noexcept {
    return Endpoint{
        .name = name,
        .method = method,
        .path = path,
        .body = body,
        .resource = what,
        .json_answer = what == made,
        .fields = body == json ? std::span<const FieldRule>(kResourceFields) : std::span<const FieldRule>()};
}

constexpr Endpoint list_of(std::string_view name, std::string_view path, std::uint32_t page = 20,
                           bool oldest_first = false) noexcept {
    Endpoint endpoint = resource(name, "GET", path, list, none);
    endpoint.page = page;
    endpoint.oldest_first = oldest_first;
    return endpoint;
}

// The first two carry nearly all traffic.
constexpr std::array kEndpoints{
    Endpoint{.name = "responses",
             .method = "POST",
             .path = "/v1/responses",
             .body = json,
             .terminal = Terminal::responses,
             .resource = made,
             .json_answer = true,
             .fields = kResponsesFields,
             .input_field = "input",
             .output_limit_field = "max_output_tokens",
             .default_output_tokens = 1024},
    Endpoint{.name = "chat",
             .method = "POST",
             .path = "/v1/chat/completions",
             .body = json,
             .terminal = Terminal::chat,
             .resource = made,
             .json_answer = true,
             .fields = kChatFields,
             .input_field = "messages",
             .output_limit_field = "max_completion_tokens",
             .default_output_tokens = 1024},
    Endpoint{.name = "messages",
             .method = "POST",
             .path = "/v1/messages",
             .dialect = Dialect::anthropic,
             .body = json,
             .terminal = Terminal::messages,
             .json_answer = true,
             .fields = kMessagesFields,
             .input_field = "messages",
             .output_limit_field = "max_tokens",
             .default_output_tokens = 1024},
    Endpoint{.name = "count_tokens",
             .method = "POST",
             .path = "/v1/messages/count_tokens",
             .dialect = Dialect::anthropic,
             .body = json,
             .json_answer = true,
             .fields = kCountTokensFields},
    Endpoint{.name = "responses_websocket", .method = "GET", .path = "/v1/responses", .served = Served::websocket},
    Endpoint{.name = "models", .method = "GET", .path = "/v1/models", .served = Served::models},
    Endpoint{.name = "model", .method = "GET", .path = "/v1/models/{id}", .served = Served::models},
    Endpoint{.name = "completions",
             .method = "POST",
             .path = "/v1/completions",
             .body = json,
             .terminal = Terminal::chat,
             .json_answer = true,
             .fields = kCompletionsFields,
             .input_field = "prompt",
             .output_limit_field = "max_tokens",
             .default_output_tokens = 16},
    Endpoint{.name = "embeddings",
             .method = "POST",
             .path = "/v1/embeddings",
             .body = json,
             .json_answer = true,
             .fields = kEmbeddingsFields,
             .input_field = "input"},
    Endpoint{.name = "moderations",
             .method = "POST",
             .path = "/v1/moderations",
             .body = json,
             .json_answer = true,
             .fields = kModerationsFields,
             .input_field = "input"},
    Endpoint{.name = "images_generations",
             .method = "POST",
             .path = "/v1/images/generations",
             .body = json,
             .json_answer = true,
             .fields = kImageFields,
             .input_field = "prompt"},
    Endpoint{.name = "images_edits",
             .method = "POST",
             .path = "/v1/images/edits",
             .body = bytes,
             .json_answer = true,
             .form_model = true},
    Endpoint{.name = "images_variations",
             .method = "POST",
             .path = "/v1/images/variations",
             .body = bytes,
             .json_answer = true,
             .form_model = true},
    Endpoint{.name = "audio_speech",
             .method = "POST",
             .path = "/v1/audio/speech",
             .body = json,
             .fields = kSpeechFields,
             .input_field = "input"},
    Endpoint{.name = "audio_transcriptions",
             .method = "POST",
             .path = "/v1/audio/transcriptions",
             .body = bytes,
             .form_model = true},
    Endpoint{.name = "audio_translations",
             .method = "POST",
             .path = "/v1/audio/translations",
             .body = bytes,
             .form_model = true},

    Endpoint{.name = "responses_compact",
             .method = "POST",
             .path = "/v1/responses/compact",
             .body = json,
             .terminal = Terminal::responses,
             .json_answer = true,
             .fields = kResponsesFields,
             .input_field = "input"},
    Endpoint{.name = "responses_input_tokens",
             .method = "POST",
             .path = "/v1/responses/input_tokens",
             .body = json,
             .json_answer = true,
             .fields = kResponsesFields,
             .input_field = "input"},
    resource("response", "*", "/v1/responses/{id}/**", named),
    list_of("stored_chats", "/v1/chat/completions", 20, true),
    resource("stored_chat", "*", "/v1/chat/completions/{id}/**", named),

    resource("files", "POST", "/v1/files", made, bytes),
    list_of("files", "/v1/files", 10'000),
    resource("file", "*", "/v1/files/{id}/**", named, bytes),
    resource("uploads", "POST", "/v1/uploads", made),
    resource("upload", "*", "/v1/uploads/{id}/**", named, bytes),
    resource("batches", "POST", "/v1/batches", made),
    list_of("batches", "/v1/batches"),
    resource("batch", "*", "/v1/batches/{id}/**", named),
    resource("fine_tuning", "POST", "/v1/fine_tuning/jobs", made),
    list_of("fine_tuning", "/v1/fine_tuning/jobs"),
    resource("fine_tuning_job", "*", "/v1/fine_tuning/jobs/{id}/**", named),
    resource("vector_stores", "POST", "/v1/vector_stores", made),
    list_of("vector_stores", "/v1/vector_stores"),
    resource("vector_store", "*", "/v1/vector_stores/{id}/**", named),
    resource("assistants", "POST", "/v1/assistants", made),
    list_of("assistants", "/v1/assistants"),
    resource("assistant", "*", "/v1/assistants/{id}/**", named),
    resource("threads", "POST", "/v1/threads", made),
    resource("threads_runs", "POST", "/v1/threads/runs", made),
    resource("thread", "*", "/v1/threads/{id}/**", named),
    resource("conversations", "POST", "/v1/conversations", made),
    resource("conversation", "*", "/v1/conversations/{id}/**", named),
    resource("containers", "POST", "/v1/containers", made),
    list_of("containers", "/v1/containers"),
    resource("container", "*", "/v1/containers/{id}/**", named, bytes),
    resource("evals", "POST", "/v1/evals", made),
    list_of("evals", "/v1/evals", 20, true),
    resource("eval", "*", "/v1/evals/{id}/**", named),
};

constexpr Endpoint kUnknown{.name = "unknown", .method = "*", .path = "/v1/**", .body = bytes};
constexpr Endpoint kOptions{
    .name = "options", .method = "OPTIONS", .path = "/v1/**", .body = none, .served = Served::options};

bool serves(const Endpoint& endpoint, std::string_view method) noexcept {
    return endpoint.method == method || endpoint.method == "*" || (method == "HEAD" && endpoint.method == "GET");
}

/// Whether `path` has the shape of `pattern`; the segment at "{id}" goes to `id`.
bool matches(const Endpoint& endpoint, std::string_view path, std::string_view& id) noexcept {
    const std::string_view pattern = endpoint.path;
    const std::size_t hole = pattern.find("{id}");
    if (hole == std::string_view::npos) return path == pattern;
    const std::string_view before = pattern.substr(0, hole), after = pattern.substr(hole + 4);
    if (path.size() <= before.size() || !path.starts_with(before)) return false;
    const std::string_view rest = path.substr(before.size());
    // A model's name may hold a slash ("org/model").
    id = after.empty() ? rest : rest.substr(0, rest.find('/'));
    // "/**": nothing, or one more segment at least.
    return !id.empty() && (id.size() == rest.size() || rest.size() > id.size() + 1);
}

}  // namespace

EndpointMatch match_endpoint(std::string_view method, std::string_view path) noexcept {
    EndpointMatch match;
    for (const Endpoint& endpoint : kEndpoints) {
        std::string_view id;
        if (!matches(endpoint, path, id)) continue;
        if (serves(endpoint, method)) return EndpointMatch{&endpoint, true, id};
        match.known = true;
    }
    return match;
}

std::string allowed_methods(std::string_view path) {
    std::string methods;
    for (const Endpoint& endpoint : kEndpoints) {
        std::string_view id;
        if (!matches(endpoint, path, id)) continue;
        if (endpoint.method == "*") return "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
        if (!methods.empty()) methods += ", ";
        methods += endpoint.method;
        if (endpoint.method == "GET") methods += ", HEAD";
    }
    return methods;
}

const Endpoint* endpoint_named(std::string_view name) noexcept {
    const auto found = std::ranges::find_if(kEndpoints, [&](const Endpoint& e) { return e.name == name; });
    return found == kEndpoints.end() ? nullptr : &*found;
}

std::span<const Endpoint> endpoints() noexcept {
    return kEndpoints;
}

const Endpoint& unknown_endpoint() noexcept {
    return kUnknown;
}

const Endpoint& options_endpoint() noexcept {
    return kOptions;
}

PathAlias read_alias(std::string_view path) noexcept {
    constexpr std::string_view deployments = "/openai/deployments/";
    if (path.starts_with(deployments)) {
        const std::string_view rest = path.substr(deployments.size());
        const std::size_t end = rest.find('/');
        if (end == 0 || end == std::string_view::npos) return {};
        return PathAlias{rest.substr(end), rest.substr(0, end)};
    }
    for (const std::string_view prefix : {"/v1/openai/v1/", "/v1/openai/", "/v1/anthropic/v1/", "/v1/anthropic/",
                                          "/openai/v1/", "/openai/", "/anthropic/v1/", "/v1/"}) {
        if (path.starts_with(prefix)) return PathAlias{path.substr(prefix.size() - 1), {}};
    }
    // Clients whose base URL lacks the version.
    for (const std::string_view bare : {"/responses", "/chat/completions", "/messages", "/embeddings", "/models"}) {
        if (path == bare || (path.starts_with(bare) && path[bare.size()] == '/')) return PathAlias{path, {}};
    }
    return {};
}

std::string_view name_of(Dialect dialect) noexcept {
    return dialect == Dialect::anthropic ? "anthropic" : "openai";
}

}  // namespace oai::wire
