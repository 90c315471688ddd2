#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "json/value.hpp"
#include "json/writer.hpp"
#include "mock/session.hpp"

// What the fields of an inference request ask for.

namespace oai::mock {
namespace {

constexpr std::size_t kMaxModelName = 256;
constexpr std::string_view kResponsePrefix = "resp_";
constexpr std::int64_t kMostChoices = 128, kMostDimensions = 8192;

Refusal wrong(std::string_view param, std::string message) {
    return {.status = 400, .message = std::move(message), .param = std::string(param)};
}

/// Where a model need not be named.
bool has_usual_model(const Format& (*format)() noexcept) {
    return format == moderations_format || format == images_format;
}

}  // namespace

/// The same fields from a form, where all are texts.
Verdict Session::read_form(RequestFacts& facts) {
    const Members& fields = upload_->fields;
    model_ = match_.deployment.empty() ? fields.text("model") : std::string(match_.deployment);
    if (model_.empty() && !has_usual_model(match_.route->format))
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
        type,
        generate,
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
                                                                      "conversation",
                                                                      "type",
                                                                      "generate"};
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

    if (socket_ != nullptr) {
        if (found[type].plain_string() != "response.create")
            return wrong("type", "Invalid value for 'type': expected 'response.create'.");
        facts.stream = true;
        answer_.warm_up = found[generate].boolean() == false;
    }
    if (!match_.deployment.empty()) {
        model_ = match_.deployment;
        json::append_quoted(answer_.model_json, model_);
    } else if (!given(model) && has_usual_model(match_.route->format)) {
        model_ = "usual";
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
    if (shard_.shared->answers.knows(Answers::Kind::response, digits) ||
        std::find(told_.begin(), told_.end(), digits) != told_.end())
        return {};
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

}  // namespace oai::mock
