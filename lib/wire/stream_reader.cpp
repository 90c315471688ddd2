#include "wire/stream_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "wire/answer.hpp"
#include "wire/usage_edit.hpp"

namespace oai::wire {
namespace {

/// An event with a usage holds at least `{"usage":{"input_tokens":1,"output_tokens":1}}`; tokens of text are shorter,
/// and most events are those.
constexpr std::size_t kShortestUsage = 40;

/// The whole number behind the first `quoted_name`.
std::optional<std::int64_t> count_member(std::string_view data, std::string_view quoted_name) noexcept {
    const std::size_t at = data.find(quoted_name);
    if (at == std::string_view::npos) return std::nullopt;
    const std::size_t digits = data.find_first_not_of(": \t\n\r", at + quoted_name.size());
    std::uint32_t number = 0;
    if (digits == std::string_view::npos) return std::nullopt;
    const auto [end, ec] = std::from_chars(data.data() + digits, data.data() + data.size(), number);
    return ec == std::errc{} ? std::optional<std::int64_t>(number) : std::nullopt;
}

/// The events after which a response has no more. `done` and `cancelled` are not OpenAI's for HTTP, but its Realtime
/// API and gateways in between say them, and a turn over a WebSocket would wait for an end that has come.
bool is_response_end(std::string_view type) noexcept {
    static constexpr std::array<std::string_view, 6> ends{"response.completed", "response.incomplete",
                                                          "response.failed",    "response.done",
                                                          "response.cancelled", "response.canceled"};
    return std::ranges::find(ends, type) != ends.end();
}

std::size_t skip_blanks(std::string_view text, std::size_t at) noexcept {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r')) ++at;
    return at;
}

}  // namespace

/// Whether the event holds text of the model under that name; its bytes are counted.
bool StreamReader::has_text(std::string_view data, std::string_view quoted_name) noexcept {
    const std::size_t bytes = text_member(data, quoted_name).size();
    output_bytes_ += bytes;
    return bytes != 0;
}

EventKind StreamReader::fail(std::string_view data) noexcept {
    ending_ = Ending::failed;
    refusal_ = refusal_in(data);
    return EventKind::terminal;
}

std::string_view text_member(std::string_view data, std::string_view quoted_name) noexcept {
    // Looked for without its first quote: a search stops at every byte like the first one, and in JSON every tenth is a
    // quote.
    const std::string_view name = quoted_name.substr(1);
    for (std::size_t at = data.find(name, 1); at != std::string_view::npos; at = data.find(name, at + 1)) {
        if (data[at - 1] != '"') continue;
        std::size_t value = skip_blanks(data, at + name.size());
        if (value >= data.size() || data[value] != ':') continue;
        value = skip_blanks(data, value + 1);
        if (value >= data.size() || data[value] != '"') continue;
        const std::string_view text = data.substr(value + 1);
        if (const std::size_t end = text.find('"'); end != 0) return text.substr(0, end);
    }
    return {};
}

/// The `type` of an event: OpenAI's SDKs go by the data, which begins with it; the event's name says the same.
std::string_view StreamReader::type_of(const http::SseEvent& event, json::Scanner& scanner) {
    constexpr std::string_view start = R"({"type":")";
    if (event.data.starts_with(start)) {
        const std::string_view rest = event.data.substr(start.size());
        return rest.substr(0, rest.find('"'));
    }
    type_ = scanner.find(scanner.copy(event.data), {"type"}).string().value_or(std::string(event.name));
    return type_;
}

EventKind StreamReader::take(const http::SseEvent& event, core::TimePoint at, json::Scanner& scanner) {
    if (event.is_comment) return EventKind::comment;
    ++events_;
    if (!first_event_) first_event_ = at;
    EventKind kind = EventKind::preamble;
    switch (terminal_) {
        case Terminal::responses: kind = take_responses(event, scanner); break;
        case Terminal::chat: kind = take_chat(event.data, scanner); break;
        case Terminal::messages: kind = take_messages(event, scanner); break;
        case Terminal::none: kind = take_other(event, scanner); break;
    }
    if (kind == EventKind::output) {
        ++output_events_;
        if (!first_output_) first_output_ = at;
        last_output_ = at;
    }
    return kind;
}

EventKind StreamReader::take_responses(const http::SseEvent& event, json::Scanner& scanner) {
    const std::string_view type = type_of(event, scanner);
    const std::string_view data = event.data;
    if (type.ends_with(".delta")) return has_text(data, "\"delta\"") ? EventKind::output : EventKind::preamble;
    if (type == "response.output_item.added") {
        // The name of a tool is the model's choice, and output; the frame of a message is not.
        const bool call = data.find("_call\"") != std::string_view::npos;
        return call && has_text(data, "\"name\"") ? EventKind::output : EventKind::preamble;
    }
    if (type == "response.image_generation_call.partial_image") return EventKind::output;
    if (is_response_end(type)) return end_response(type, data, scanner);
    if (type.ends_with(".done") && !first_output_) {
        // A provider that sends no deltas shows its output here.
        const bool text =
            has_text(data, "\"text\"") || has_text(data, "\"refusal\"") || has_text(data, "\"arguments\"");
        if (text) return EventKind::output;
    }
    if (type == "error") return fail(data);
    if (type == "response.created" && resource_id_.empty())
        resource_id_ = scanner.find(scanner.copy(data), {"response", "id"}).string().value_or("");
    return EventKind::preamble;
}

EventKind StreamReader::end_response(std::string_view type, std::string_view data, json::Scanner& scanner) {
    ending_ = Ending::completed;
    if (data.size() >= kShortestUsage) {
        const json::Member response = scanner.find(scanner.copy(data), {"response"});
        const Answer answer = read_answer(Terminal::responses, response, scanner);
        if (answer.is_json) ending_ = answer.ending;
        if (answer.usage) usage_ = answer.usage;
    }
    // The type decides; response.done leaves it to the response's status.
    if (type == "response.failed" || (type == "response.done" && ending_ == Ending::failed)) return fail(data);
    if (type == "response.completed") ending_ = Ending::completed;
    if (type == "response.cancelled" || type == "response.canceled") ending_ = Ending::cancelled;
    if (type == "response.incomplete" && ending_ != Ending::token_limit) ending_ = Ending::incomplete;
    return EventKind::terminal;
}

EventKind StreamReader::take_chat(std::string_view data, json::Scanner& scanner) {
    if (data == "[DONE]") {
        done_ = true;
        return EventKind::done;
    }
    if (data.size() >= kShortestUsage && data.find("\"usage\"") != std::string_view::npos) {
        const Answer answer = read_answer(Terminal::chat, scanner.copy(data), scanner);
        if (answer.usage) usage_ = answer.usage;
    }
    const bool output = has_text(data, "\"content\"") || has_text(data, "\"reasoning_content\"") ||
                        has_text(data, "\"reasoning\"") || has_text(data, "\"refusal\"") ||
                        has_text(data, "\"arguments\"") || has_text(data, "\"text\"") ||
                        (data.find("\"tool_calls\"") != std::string_view::npos && has_text(data, "\"name\"")) ||
                        (data.find("\"audio\"") != std::string_view::npos && has_text(data, "\"data\""));
    if (const std::string_view reason = text_member(data, "\"finish_reason\""); !reason.empty()) {
        ending_ = reason == "length" ? Ending::token_limit : Ending::completed;
    } else if (!output && data.find("\"error\"") != std::string_view::npos &&
               scanner.find(scanner.copy(data), {"error"}).kind == json::Kind::object) {
        return fail(data);
    }
    if (output) return EventKind::output;
    if (resource_id_.empty()) resource_id_ = text_member(data.substr(0, 128), "\"id\"");
    if (is_usage_chunk(data)) return EventKind::usage;
    return ending_ == Ending::none ? EventKind::preamble : EventKind::terminal;
}

EventKind StreamReader::take_messages(const http::SseEvent& event, json::Scanner& scanner) {
    const std::string_view type = type_of(event, scanner);
    const std::string_view data = event.data;
    if (type == "content_block_delta") {
        const bool output =
            has_text(data, "\"text\"") || has_text(data, "\"partial_json\"") || has_text(data, "\"thinking\"");
        return output ? EventKind::output : EventKind::preamble;
    }
    if (type == "content_block_start") {
        // The name of a tool is the model's choice, and output; the frame of a text is not.
        const bool tool = data.find("tool_use\"") != std::string_view::npos;
        return tool && has_text(data, "\"name\"") ? EventKind::output : EventKind::preamble;
    }
    if (type == "message_start") {
        const json::Member usage = scanner.find(scanner.copy(data), {"message", "usage"});
        const std::optional<std::int64_t> input = count_member(usage.raw, "\"input_tokens\"");
        if (input) usage_ = Usage{.input_tokens = static_cast<std::uint32_t>(*input), .output_tokens = 0};
        return EventKind::preamble;
    }
    if (type == "message_delta") {
        // Its counts are totals. Providers that know the input only at the end say it here.
        const std::size_t at = std::min(data.find("\"usage\""), data.size());
        if (const auto output = count_member(data.substr(at), "\"output_tokens\"")) {
            if (!usage_) usage_.emplace();
            usage_->output_tokens = static_cast<std::uint32_t>(*output);
            if (const auto input = count_member(data.substr(at), "\"input_tokens\"");
                input && usage_->input_tokens == 0)
                usage_->input_tokens = static_cast<std::uint32_t>(*input);
        }
        stop_reason_ = text_member(data, "\"stop_reason\"");
        return EventKind::preamble;
    }
    if (type == "message_stop") {
        ending_ = stop_reason_ == "max_tokens" ? Ending::token_limit : Ending::completed;
        return EventKind::terminal;
    }
    if (type == "error") return fail(data);
    return EventKind::preamble;
}

/// Streams without a rule of their own: images, audio, runs of assistants. Their good end is the end of the body.
EventKind StreamReader::take_other(const http::SseEvent& event, json::Scanner& scanner) {
    if (event.data == "[DONE]") return EventKind::done;
    if (event.name == "error" || type_of(event, scanner) == "error") return fail(event.data);
    return EventKind::output;
}

}  // namespace oai::wire
