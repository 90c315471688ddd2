#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include "core/units.hpp"
#include "json/value.hpp"
#include "json/writer.hpp"
#include "mock/session.hpp"
#include "wire/error_body.hpp"

namespace oai::mock {

namespace {

constexpr std::size_t kMaxModelName = 256;
constexpr std::string_view kResponsePrefix = "resp_";
constexpr std::int64_t kMostChoices = 128, kMostDimensions = 8192;

Refusal wrong(std::string_view param, std::string message) {
    return {.status = 400, .message = std::move(message), .param = std::string(param)};
}

Refusal refusal_of(const core::Error& error) {
    return {.status = wire::face_of(error.code).status, .message = error.detail, .param = error.param};
}

/// Authorization: Bearer, x-api-key (Anthropic) or api-key (Azure).
std::string_view credential_of(const http::Fields& fields) {
    constexpr std::string_view kBearer = "Bearer ";
    const std::string_view authorization = fields.value("authorization");
    if (authorization.size() > kBearer.size() &&
        core::equals_ignore_case(authorization.substr(0, kBearer.size()), kBearer))
        return core::trim(authorization.substr(kBearer.size()));
    const std::string_view key = fields.value("x-api-key");
    return key.empty() ? fields.value("api-key") : key;
}

std::string_view session_of(const http::Fields& fields) {
    for (const std::string_view name : {"session-id", "session_id", "thread-id", "conversation_id"}) {
        if (const std::string_view value = fields.value(name); !value.empty()) return value;
    }
    return {};
}

}  // namespace

void Session::begin(const http::RequestHead& head) {
    old_client_ = head.minor_version == 0;
    head_request_ = head.method == "HEAD";
    keep_ = head.keep_alive;
    match_ = find_route(head.method, head.path);
    credential_ = credential_of(head.fields);
    takes_form_ =
        match_.route != nullptr && match_.route->takes_form && Multipart::is_form(head.fields.value("content-type"));
    upload_.reset();
    receipt_.reset();
    const Received* received = shard_.shared->received.get();
    if (received != nullptr && !is_control()) receipt_.emplace(head, received->kept_bytes());
}

bool Session::is_control() const noexcept {
    return match_.route != nullptr && match_.route->kind == Route::Kind::control;
}

Verdict Session::check_head(const http::RequestHead& head) const {
    const bool closed = is_control() && shard_.shared->received == nullptr;
    if (match_.route == nullptr || closed) {
        const std::string what = std::string(head.method) + " " + std::string(head.path);
        if (match_.path_known && !closed)
            return Refusal{.status = 405,
                           .message = "Not allowed: " + what + ". Perhaps you meant to use a different HTTP method?"};
        return Refusal{.status = 404, .message = "Invalid URL (" + what + ")"};
    }
    const std::vector<std::string>& keys = shard_.behaviour->api_keys;
    if (match_.route->kind == Route::Kind::api && !keys.empty() &&
        std::find(keys.begin(), keys.end(), credential_) == keys.end() &&
        !shard_.shared->tokens.is_good(credential_, received_))
        return Refusal{.status = 401, .message = "Incorrect API key provided.", .code = "invalid_api_key"};
    if (match_.shape == Shape::anthropic && head.fields.find("anthropic-version") == nullptr)
        return Refusal{.status = 400, .message = "anthropic-version: header is required"};
    if (!match_.deployment.empty() && head.query.find("api-version=") == std::string_view::npos)
        return Refusal{.status = 404, .message = "Resource not found: the query parameter api-version is missing"};
    return {};
}

Verdict Session::understand(const http::RequestHead& head, std::string_view body) {
    begin_record();
    const Behaviour& behaviour = shard_.current();
    begin_answer();
    if (receipt_) shard_.shared->received->add(receipt_->finish(record_.number));
    if (Verdict refusal = check_head(head)) return refusal;

    if (is_control()) return act(head, body);

    const Format* format = match_.route->format == nullptr ? nullptr : &match_.route->format();
    RequestFacts facts;
    facts.number = record_.number;
    facts.fault = head.fields.value("x-mock-fault");
    facts.key = credential_;
    facts.session = session_of(head.fields);
    facts.since_start = received_ - shard_.shared->started;
    facts.turns = &shard_.shared->turns;
    facts.stream = format != nullptr && format->always_streams();
    answer_.resource = match_.segments[0];
    answer_.models = &behaviour.models;
    answer_.input_tokens = std::max<std::uint64_t>(1, body.size() / 4);
    keeps_chat_ = false;
    if (match_.route->takes_json) {
        if (Verdict refusal = upload_ ? read_form(facts) : read_fields(body, facts)) return refusal;
    }
    core::Result<Plan> plan = make_plan(behaviour, shard_.shared->seed, facts);
    if (!plan) return refusal_of(plan.error());
    plan_ = std::move(*plan);
    record_.stream = facts.stream;
    streams_ = plan_.stream;
    answer_.incomplete = plan_.incomplete;
    answer_.output_tokens = plan_.output_tokens;
    answer_.huge_bytes = plan_.fault.bytes;
    answer_.done = plan_.fault.kind != Fault::Kind::no_done;
    answer_.failure = plan_.fault.kind == Fault::Kind::capacity ? kAtCapacity : kServerFailure;
    if (plan_.fault.kind != Fault::Kind::none) count(shard_.faults);
    remember();
    return streams_ ? Verdict{} : render_body(head, body);
}

void Session::remember() {
    const Fault::Kind kind = plan_.fault.kind;
    const bool is_chat = keeps_chat_ && match_.route->format == chat_format;
    const bool is_response = match_.route->format == responses_format && answer_.store_json == "true";
    if ((!is_chat && !is_response) || fails(kind) || kind == Fault::Kind::error || kind == Fault::Kind::error_in_200 ||
        kind == Fault::Kind::non_json)
        return;
    shard_.shared->answers.keep(record_.number, is_chat ? Answers::Kind::chat : Answers::Kind::response, answer_,
                                answer_.input_json);
}

Verdict Session::act(const http::RequestHead& head, std::string_view body) {
    Call call{.head = head,
              .match = match_,
              .body = body,
              .upload = upload_ ? &*upload_ : nullptr,
              .behaviour = shard_.current(),
              .shared = *shard_.shared,
              .ids = shard_.worker.ids(),
              .now = received_,
              .created_at = answer_.created_at,
              .answer = answer_,
              .out = body_,
              .type = type_,
              .status = status_};
    return match_.route->act(call);
}

Verdict Session::render_body(const http::RequestHead& head, std::string_view body) {
    switch (plan_.fault.kind) {
        case Fault::Kind::error:
            status_ = plan_.fault.status;
            append_status_error(body_, match_.shape, status_);
            return {};
        case Fault::Kind::error_in_200: append_status_error(body_, match_.shape, 500); return {};
        case Fault::Kind::non_json:
            type_ = "text/html";
            body_ = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n";
            return {};
        default: break;
    }
    if (match_.route->act != nullptr) {
        if (Verdict refusal = act(head, body)) return refusal;
    } else {
        const Format& format = match_.route->format();
        type_ = format.type(answer_);
        if (fails(plan_.fault.kind)) {
            format.failed_body(body_, answer_);
        } else {
            format.body(body_, answer_);
        }
    }
    if (plan_.fault.kind == Fault::Kind::half_json) body_.resize(body_.size() / 2);
    return {};
}

/// The same fields from a form, where all are texts.
Verdict Session::read_form(RequestFacts& facts) {
    const Members& fields = upload_->fields;
    model_ = match_.deployment.empty() ? fields.text("model") : std::string(match_.deployment);
    // Image variations have one model only, which need not be named.
    if (model_.empty() && match_.route->format != images_format)
        return wrong("model", "Missing required parameter: 'model'.");
    if (model_.size() > kMaxModelName) return wrong("model", "Invalid 'model': the name is too long.");
    json::append_quoted(answer_.model_json, model_);
    facts.model = model_;
    facts.stream = fields.text("stream") == "true";
    form_text_ = fields.text("response_format");
    answer_.text_format = form_text_;
    for (const UploadedFile& file : upload_->files) answer_.input_tokens += file.bytes / 4;
    return {};
}

Verdict Session::read_fields(std::string_view body, RequestFacts& facts) {
    enum {
        model,
        stream,
        max_output,
        max_completion,
        max_tokens,
        stream_options,
        previous,
        store,
        input,
        count,
        encoding,
        dimensions,
        tools,
        tool_choice,
        cache_key,
        messages,
        conversation,
        field_count
    };
    // In the order of the enumerators.
    static constexpr std::array<std::string_view, field_count> kNames{"model",
                                                                      "stream",
                                                                      "max_output_tokens",
                                                                      "max_completion_tokens",
                                                                      "max_tokens",
                                                                      "stream_options",
                                                                      "previous_response_id",
                                                                      "store",
                                                                      "input",
                                                                      "n",
                                                                      "encoding_format",
                                                                      "dimensions",
                                                                      "tools",
                                                                      "tool_choice",
                                                                      "prompt_cache_key",
                                                                      "messages",
                                                                      "conversation"};
    static_assert(!kNames.back().empty(), "a field has no name");
    std::array<json::Member, field_count> found;
    if (body.empty()) return wrong({}, "We could not parse the JSON body of your request. (The body is empty.)");
    const core::Result<void> scanned = shard_.scanner.members(json::Padded{body}, kNames, found);
    if (!scanned) {
        return wrong(scanned.error().param,
                     "We could not parse the JSON body of your request. (" + scanned.error().detail + ")");
    }
    const auto given = [&](int field) {
        const json::Member& member = found[static_cast<std::size_t>(field)];
        return member.present() && member.kind != json::Kind::null;
    };
    const auto raw_or_null = [&](int field) {
        return given(field) ? found[static_cast<std::size_t>(field)].raw : std::string_view("null");
    };

    if (!match_.deployment.empty()) {
        model_ = match_.deployment;
        json::append_quoted(answer_.model_json, model_);
    } else {
        if (!given(model)) return wrong("model", "Missing required parameter: 'model'.");
        if (found[model].kind != json::Kind::string || found[model].raw.size() <= 2)
            return wrong("model", "Invalid type for 'model': expected a string that is not empty.");
        if (found[model].raw.size() > kMaxModelName) return wrong("model", "Invalid 'model': the name is too long.");
        model_ = found[model].plain_string();
        if (model_.empty()) model_ = found[model].string().value_or(std::string{});
        answer_.model_json = found[model].raw;
    }
    facts.model = model_;

    if (given(stream)) {
        const std::optional<bool> flag = found[stream].boolean();
        if (!flag) return wrong("stream", "Invalid type for 'stream': expected a boolean.");
        facts.stream = facts.stream || (*flag && match_.route->format().streams());
    }
    const struct {
        int field;
        std::int64_t most;
    } counts[] = {{max_output, INT64_MAX},
                  {max_completion, INT64_MAX},
                  {max_tokens, INT64_MAX},
                  {count, kMostChoices},
                  {dimensions, kMostDimensions}};
    for (const auto& [field, most] : counts) {
        if (!given(field)) continue;
        const std::optional<std::int64_t> value = found[static_cast<std::size_t>(field)].integer();
        if (!value || *value < 1 || *value > most) {
            const std::string name(kNames[static_cast<std::size_t>(field)]);
            return wrong(name, "Invalid '" + name + "': expected an integer of at least 1.");
        }
        if (field == count) {
            answer_.choices = static_cast<unsigned>(*value);
        } else if (field == dimensions) {
            answer_.dimensions = static_cast<unsigned>(*value);
        } else if (!facts.max_tokens) {
            facts.max_tokens = value;
        }
    }
    if (match_.shape == Shape::anthropic && match_.route->format().streams() && !given(max_tokens))
        return wrong("max_tokens", "max_tokens: Field required");

    if (found[store].boolean() == false) answer_.store_json = "false";
    keeps_chat_ = found[store].boolean() == true;
    if (given(previous)) {
        if (Verdict refusal = check_previous(found[previous])) return refusal;
    }
    if (given(conversation)) {
        if (Verdict refusal = check_conversation(found[conversation])) return refusal;
    }
    answer_.previous_response_json = raw_or_null(previous);
    answer_.max_output_tokens_json = raw_or_null(max_output);
    answer_.input_json = raw_or_null(given(input) ? input : messages);
    answer_.base64 = found[encoding].plain_string() == "base64";
    answer_.reasoning = says(model_, kReasoningWord);
    if (facts.session.empty()) facts.session = found[cache_key].plain_string();
    if (found[stream_options].kind == json::Kind::object) {
        const json::Padded options{found[stream_options].raw};
        answer_.include_usage = shard_.scanner.find(options, {"include_usage"}).boolean().value_or(false);
    }
    choose_tool(found[tools], found[tool_choice]);
    return {};
}

Verdict Session::check_previous(const json::Member& previous) {
    const std::string id = previous.string().value_or("");
    const std::string_view digits =
        id.starts_with(kResponsePrefix) ? std::string_view(id).substr(kResponsePrefix.size()) : std::string_view{};
    if (shard_.shared->answers.knows(Answers::Kind::response, digits)) return {};
    // The status is 400, as api.openai.com answers it; the code says what it is.
    return Refusal{.status = 400,
                   .message = "Previous response with id '" + id + "' not found.",
                   .param = "previous_response_id",
                   .code = "previous_response_not_found"};
}

/// Its id, or an object that holds it.
Verdict Session::check_conversation(const json::Member& conversation) {
    const std::string id = conversation.kind == json::Kind::object
                               ? shard_.scanner.find(json::Padded{conversation.raw}, {"id"}).string().value_or("")
                               : conversation.string().value_or("");
    if (shard_.shared->objects.has(*resource_at("/v1/conversations"), {}, id)) return {};
    return Refusal{.status = 404, .message = "Conversation with id '" + id + "' not found.", .param = "conversation"};
}

// A tool is called when the request insists on it, or its model's name says so. The caller's limit of tokens may cut
// the arguments short of nothing: they are whole JSON however few they are.
void Session::choose_tool(const json::Member& tools, const json::Member& choice) {
    if (tools.kind != json::Kind::array) return;
    const std::string_view word = choice.plain_string();
    std::string chosen;
    if (choice.kind == json::Kind::object) {
        const core::Result<json::Value> value = json::Value::parse(choice.raw);
        if (!value) return;
        for (const char* path : {"function.name", "name"}) {
            const json::Value* name = value->find_path(path);
            if (name != nullptr && chosen.empty()) chosen = name->as_string().value_or("");
        }
    }
    const bool insists = word == "required" || word == "any" || choice.kind == json::Kind::object;
    if (!insists && !says(model_, kToolWord)) return;
    if (chosen.empty()) {
        const core::Result<json::Value> value = json::Value::parse(tools.raw);
        if (!value) return;
        for (const json::Value& tool : value->items()) {
            const json::Value* name = tool.find_path("function.name");
            if (name == nullptr) name = tool.find("name");
            if (name == nullptr || !chosen.empty()) continue;
            chosen = name->as_string().value_or("");
        }
    }
    if (!chosen.empty()) json::append_quoted(answer_.tool_json, chosen);
}

void Session::begin_answer() {
    static constexpr char kHex[] = "0123456789abcdef";
    // The last digits are the request's number: they say where the answer is kept.
    for (std::size_t i = 0; i < sizeof id_; i += 16) {
        const bool last = i + 16 == sizeof id_;
        std::uint64_t bits = last ? record_.number : shard_.worker.ids().next();
        for (std::size_t j = 0; j < 16; ++j, bits >>= 4) id_[i + 15 - j] = kHex[bits & 15];
    }
    answer_.clear();
    answer_.id = std::string_view(id_, sizeof id_);
    answer_.created_at =
        std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()).time_since_epoch().count();
}

}  // namespace oai::mock
