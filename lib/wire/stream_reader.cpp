#include "wire/stream_reader.hpp"

#include <algorithm>
#include <string>

#include "wire/answer.hpp"

namespace oai::wire {
namespace {

/// An event with a usage holds at least `{"usage":{"input_tokens":1,"output_tokens":1}}`; tokens of text are shorter,
/// and most events are those.
constexpr std::size_t kShortestUsage = 40;

std::size_t skip_blanks(std::string_view text, std::size_t at) noexcept {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r')) ++at;
    return at;
}

bool has_text_member(std::string_view data, std::string_view quoted_name) noexcept {
    return !text_member(data, quoted_name).empty();
}

}  // namespace

std::string_view text_member(std::string_view data, std::string_view quoted_name) noexcept {
    for (std::size_t at = data.find(quoted_name); at != std::string_view::npos; at = data.find(quoted_name, at + 1)) {
        std::size_t value = skip_blanks(data, at + quoted_name.size());
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
        case Terminal::none: kind = EventKind::output; break;
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
    if (type.ends_with(".delta")) return has_text_member(data, "\"delta\"") ? EventKind::output : EventKind::preamble;
    if (type == "response.output_item.added") {
        // The name of a tool is the model's choice, and output; the frame of a message is not.
        const bool call = data.find("_call\"") != std::string_view::npos;
        return call && has_text_member(data, "\"name\"") ? EventKind::output : EventKind::preamble;
    }
    if (type == "response.image_generation_call.partial_image") return EventKind::output;
    if (type.ends_with(".done") && !first_output_) {
        // A provider that sends no deltas shows its output here.
        const bool text = has_text_member(data, "\"text\"") || has_text_member(data, "\"refusal\"") ||
                          has_text_member(data, "\"arguments\"");
        if (text) return EventKind::output;
    }
    if (type == "response.completed" || type == "response.incomplete" || type == "response.failed") {
        if (data.size() >= kShortestUsage) {
            const json::Member response = scanner.find(scanner.copy(data), {"response"});
            const Answer answer = read_answer(Terminal::responses, json::Padded{response.raw}, scanner);
            ending_ = answer.ending;
            if (answer.usage) usage_ = answer.usage;
        }
        if (type == "response.failed") ending_ = Ending::failed;
        if (type == "response.completed") ending_ = Ending::completed;
        if (type == "response.incomplete" && ending_ != Ending::token_limit) ending_ = Ending::incomplete;
        return EventKind::terminal;
    }
    if (type == "error") {
        ending_ = Ending::failed;
        return EventKind::terminal;
    }
    return EventKind::preamble;
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
    const bool output = has_text_member(data, "\"content\"") || has_text_member(data, "\"reasoning_content\"") ||
                        has_text_member(data, "\"reasoning\"") || has_text_member(data, "\"refusal\"") ||
                        has_text_member(data, "\"arguments\"") || has_text_member(data, "\"text\"") ||
                        (data.find("\"tool_calls\"") != std::string_view::npos && has_text_member(data, "\"name\"")) ||
                        (data.find("\"audio\"") != std::string_view::npos && has_text_member(data, "\"data\""));
    if (const std::string_view reason = text_member(data, "\"finish_reason\""); !reason.empty()) {
        ending_ = reason == "length" ? Ending::token_limit : Ending::completed;
    } else if (!output && data.find("\"error\"") != std::string_view::npos &&
               scanner.find(scanner.copy(data), {"error"}).kind == json::Kind::object) {
        ending_ = Ending::failed;
        return EventKind::terminal;
    }
    if (output) return EventKind::output;
    return ending_ == Ending::none ? EventKind::preamble : EventKind::terminal;
}

}  // namespace oai::wire
