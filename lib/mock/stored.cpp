#include <utility>
#include <vector>

#include "json/writer.hpp"
#include "mock/call.hpp"

// Answers of inference that are asked for again.

namespace oai::mock {
namespace {

using Kind = Answers::Kind;

/// What stands before the digits of an id, and what a person calls it.
struct Family {
    Kind kind;
    std::string_view prefix;
    std::string_view name;
    const Format& (*format)() noexcept;
};
constexpr Family kResponse{Kind::response, "resp_", "Response", responses_format};
constexpr Family kChat{Kind::chat, "chatcmpl-", "Chat completion", chat_format};

std::string_view digits_of(const Call& call, const Family& family) {
    const std::string_view id = call.match.segments[0];
    return id.starts_with(family.prefix) ? id.substr(family.prefix.size()) : std::string_view{};
}

Refusal no_such(const Call& call, const Family& family) {
    return {.status = 404,
            .message = std::string(family.name) + " with id '" + std::string(call.match.segments[0]) + "' not found.",
            .param = "id"};
}

Verdict get(Call& call, const Family& family) {
    if (!call.shared.answers.find(family.kind, digits_of(call, family), call.answer)) return no_such(call, family);
    family.format().body(call.out, call.answer);
    return {};
}

Verdict remove(Call& call, const Family& family, std::string_view object) {
    if (!call.shared.answers.forget(family.kind, digits_of(call, family))) return no_such(call, family);
    append(call.out, R"({"id":")", call.match.segments[0], R"(","object":")", object, R"(","deleted":true})");
    return {};
}

/// Items of an input: a text is one message of the user's, an array has them.
std::vector<std::string> items_of(std::string_view input_json) {
    std::vector<std::string> items;
    if (input_json.starts_with('"'))
        items.push_back(R"({"type":"message","role":"user","content":[{"type":"input_text","text":)" +
                        std::string(input_json) + "}]}");
    for (const std::string_view element : array_elements(input_json)) items.emplace_back(element);
    return items;
}

void append_items(std::string& out, const std::vector<std::string>& items, std::string_view digits) {
    out += R"({"object":"list","data":[)";
    std::string first = "null", last = "null";
    for (std::size_t i = 0; i < items.size(); ++i) {
        core::Result<Members> item = Members::parse(items[i]);
        if (!item) continue;
        if (item->find("id") == nullptr) item->set_text("id", "msg_" + std::string(digits) + "_" + std::to_string(i));
        last = *item->find("id");
        if (i == 0) first = last;
        if (i != 0) out += ',';
        item->append_to(out);
    }
    append(out, R"(],"first_id":)", first, R"(,"last_id":)", last, R"(,"has_more":false})");
}

Verdict list_input(Call& call, const Family& family) {
    std::string input_json;
    const std::string_view digits = digits_of(call, family);
    if (!call.shared.answers.find_input(family.kind, digits, input_json)) return no_such(call, family);
    append_items(call.out, items_of(input_json), digits);
    return {};
}

}  // namespace

Verdict get_response(Call& call) {
    return get(call, kResponse);
}

Verdict delete_response(Call& call) {
    return remove(call, kResponse, "response");
}

Verdict cancel_response(Call& call) {
    if (!call.shared.answers.cancel(Kind::response, digits_of(call, kResponse))) return no_such(call, kResponse);
    return get(call, kResponse);
}

Verdict list_input_items(Call& call) {
    return list_input(call, kResponse);
}

Verdict list_chats(Call& call) {
    std::vector<std::string> ids;
    call.out += R"({"object":"list","data":[)";
    bool first = true;
    for (const Answer& answer : call.shared.answers.all(Kind::chat, ids)) {
        if (!std::exchange(first, false)) call.out += ',';
        chat_format().body(call.out, answer);
    }
    const auto id_of = [&](const std::string& digits) { return "\"chatcmpl-" + digits + "\""; };
    append(call.out, R"(],"first_id":)", ids.empty() ? "null" : id_of(ids.front()), R"(,"last_id":)",
           ids.empty() ? "null" : id_of(ids.back()), R"(,"has_more":false})");
    return {};
}

Verdict get_chat(Call& call) {
    return get(call, kChat);
}

Verdict get_chat_messages(Call& call) {
    return list_input(call, kChat);
}

Verdict delete_chat(Call& call) {
    return remove(call, kChat, "chat.completion.deleted");
}

}  // namespace oai::mock
