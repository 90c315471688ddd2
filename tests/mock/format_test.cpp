#include "mock/format.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "http/sse.hpp"
#include "json/value.hpp"
#include "mock/routes.hpp"

using namespace oai;
using namespace oai::mock;

namespace {

struct Event {
    std::string name;
    std::string raw;
    json::Value data;

    std::string text(std::string_view path) const {
        const json::Value* found = data.find_path(path);
        return std::string(found == nullptr ? "(absent)" : found->as_string().value_or("(no string)"));
    }
    std::int64_t number(std::string_view path) const {
        const json::Value* found = data.find_path(path);
        return found == nullptr ? -1 : found->as_int().value_or(-2);
    }
};

std::vector<Event> read_events(const std::string& bytes) {
    std::vector<Event> events;
    http::SseReader reader;
    const auto fed = reader.feed(bytes, [&](const http::SseEvent& event) {
        Event read{std::string(event.name), std::string(event.data), {}};
        if (event.data != "[DONE]") {
            auto parsed = json::Value::parse(event.data);
            REQUIRE(parsed);
            read.data = std::move(*parsed);
        }
        events.push_back(std::move(read));
    });
    CHECK(fed);
    CHECK_FALSE(reader.finish());
    return events;
}

Answer answer(unsigned tokens, bool incomplete = false) {
    Answer a;
    a.id = "0123456789abcdef0123456789abcdef0123456789abcdef";
    a.created_at = 1'770'886'800;
    a.model_json = "\"gpt-5-mini\"";
    a.previous_response_json = "null";
    a.max_output_tokens_json = incomplete ? "4" : "null";
    a.input_tokens = 11;
    a.output_tokens = tokens;
    a.incomplete = incomplete;
    return a;
}

std::vector<Event> stream(const Format& format, Answer a) {
    std::string out;
    const unsigned tokens = a.output_tokens;
    unsigned told = format.open(out, a);
    for (unsigned i = 0; i < tokens; ++i) told += format.output(out, a, i);
    told += format.close(out, a);
    std::vector<Event> events = read_events(out);
    CHECK(events.size() == told);
    return events;
}

json::Value parsed(const std::string& text) {
    auto value = json::Value::parse(text);
    REQUIRE(value);
    return std::move(*value);
}

json::Value body(const Format& format, const Answer& a) {
    std::string out;
    format.body(out, a);
    return parsed(out);
}

}  // namespace

TEST_CASE("a Responses stream is the whole sequence, in order, with consistent ids and usage") {
    const Answer a = answer(30);  // more than one round of the tokens
    const std::vector<Event> events = stream(responses_format(), a);
    std::vector<std::string> want = {"response.created", "response.in_progress", "response.output_item.added",
                                     "response.content_part.added"};
    want.insert(want.end(), 30, "response.output_text.delta");
    for (const char* name :
         {"response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed"})
        want.push_back(name);
    REQUIRE(events.size() == want.size());
    std::string text;
    for (std::size_t i = 0; i < events.size(); ++i) {
        const Event& event = events[i];
        CAPTURE(event.raw);
        CHECK(event.name == want[i]);
        CHECK(event.text("type") == want[i]);
        CHECK(event.number("sequence_number") == static_cast<std::int64_t>(i));
        if (event.data.find("response") != nullptr) {
            CHECK(event.text("response.id") == "resp_" + std::string(a.id));
            CHECK(event.text("response.model") == "gpt-5-mini");
            CHECK(event.number("response.created_at") == 1'770'886'800);
        }
        if (event.data.find("item_id") != nullptr) CHECK(event.text("item_id") == "msg_" + std::string(a.id));
        if (event.name == "response.output_text.delta") text += event.text("delta");
    }
    CHECK(events[0].text("response.status") == "in_progress");
    CHECK(events[0].data.find_path("response.usage")->is_null());
    CHECK(events[2].text("item.id") == "msg_" + std::string(a.id));
    CHECK(events[2].text("item.status") == "in_progress");
    CHECK(events[3].text("part.text").empty());
    CHECK(events[34].text("text") == text);
    CHECK(events[35].text("part.text") == text);
    CHECK(events[36].data.find_path("item.content")->items().at(0).find("text")->as_string() == text);
    const Event& last = events.back();
    CHECK(last.text("response.status") == "completed");
    CHECK(last.number("response.usage.input_tokens") == 11);
    CHECK(last.number("response.usage.input_tokens_details.cached_tokens") == 0);
    CHECK(last.number("response.usage.output_tokens") == 30);
    CHECK(last.number("response.usage.output_tokens_details.reasoning_tokens") == 0);
    CHECK(last.number("response.usage.total_tokens") == 41);
    CHECK(last.data.find_path("response.output")->items().at(0).find("id")->as_string() == "msg_" + std::string(a.id));
}

TEST_CASE("a Responses answer cut short by its caller's limit says so") {
    const std::vector<Event> events = stream(responses_format(), answer(4, true));
    const Event& last = events.back();
    CHECK(last.name == "response.incomplete");
    CHECK(last.text("response.status") == "incomplete");
    CHECK(last.text("response.incomplete_details.reason") == "max_output_tokens");
    CHECK(last.number("response.max_output_tokens") == 4);
    CHECK(last.number("response.usage.output_tokens") == 4);
    CHECK(events[events.size() - 2].text("item.status") == "incomplete");

    const json::Value whole = body(responses_format(), answer(4, true));
    CHECK(whole.find("status")->as_string() == "incomplete");
    CHECK(whole.find_path("incomplete_details.reason")->as_string() == "max_output_tokens");
    const json::Value completed = body(responses_format(), answer(4));
    CHECK(completed.find("status")->as_string() == "completed");
    CHECK(completed.find("incomplete_details")->is_null());
    CHECK(completed.find("error")->is_null());
    CHECK(completed.find("object")->as_string() == "response");
}

TEST_CASE("a chat stream is role, content, finish reason and DONE; usage only on request") {
    for (const bool with_usage : {false, true}) {
        CAPTURE(with_usage);
        Answer a = answer(5, with_usage);
        a.include_usage = with_usage;
        const std::vector<Event> events = stream(chat_format(), a);
        REQUIRE(events.size() == (with_usage ? 9u : 8u));
        std::string text;
        for (std::size_t i = 0; i + 1 < events.size(); ++i) {
            CAPTURE(events[i].raw);
            CHECK(events[i].name.empty());
            CHECK(events[i].text("object") == "chat.completion.chunk");
            CHECK(events[i].text("id") == "chatcmpl-" + std::string(a.id));
            const std::vector<json::Value>& choices = events[i].data.find("choices")->items();
            const bool usage_chunk = with_usage && i == 7;
            CHECK(choices.size() == (usage_chunk ? 0u : 1u));
            CHECK((events[i].data.find("usage") != nullptr) == with_usage);
            if (usage_chunk) {
                CHECK(events[i].number("usage.completion_tokens") == 5);
                CHECK(events[i].number("usage.prompt_tokens") == 11);
                CHECK(events[i].number("usage.total_tokens") == 16);
                continue;
            }
            const json::Value& finish = *choices[0].find("finish_reason");
            if (i == 6) {
                CHECK(finish.as_string() == (with_usage ? "length" : "stop"));
            } else {
                CHECK(finish.is_null());
                text += choices[0].find_path("delta.content")->as_string().value();
            }
            CHECK((choices[0].find_path("delta.role") != nullptr) == (i == 0));
        }
        CHECK(events.back().raw == "[DONE]");
        std::string want;
        append_text(want, answer(5));
        CHECK(text == want);
    }
}

TEST_CASE("a whole chat answer has message, finish reason and usage") {
    const json::Value whole = body(chat_format(), answer(30));
    CHECK(whole.find("object")->as_string() == "chat.completion");
    const json::Value& choice = whole.find("choices")->items().at(0);
    CHECK(choice.find("finish_reason")->as_string() == "stop");
    CHECK(choice.find_path("message.role")->as_string() == "assistant");
    CHECK(choice.find_path("message.content")->as_string()->find("na\xC3\xAFve") != std::string_view::npos);
    CHECK(whole.find_path("usage.completion_tokens")->as_int() == 30);
}

TEST_CASE("failures have the shape of their family") {
    Answer a = answer(5);
    std::string out;
    responses_format().open(out, a);
    CHECK(responses_format().fail(out, a, 0) == 1);
    const std::vector<Event> events = read_events(out);
    REQUIRE(events.size() == 3);
    CHECK(events[2].name == "response.failed");
    CHECK(events[2].number("sequence_number") == 2);
    CHECK(events[2].text("response.status") == "failed");
    CHECK(events[2].text("response.error.code") == "server_error");

    out.clear();
    chat_format().fail(out, a, 0);
    CHECK(read_events(out).at(0).text("error.type") == "server_error");

    out.clear();
    responses_format().failed_body(out, a);
    CHECK(parsed(out).find("status")->as_string() == "failed");
    for (const int status : {400, 401, 418, 429, 500, 503, 529, 599}) {
        out.clear();
        append_status_error(out, Shape::openai, status);
        const json::Value error = parsed(out);
        CHECK(error.find_path("error.message")->is_string());
        CHECK(error.find_path("error.type")->is_string());
        CHECK(error.find_path("error.param")->is_null());
        CHECK(error.find_path("error.code") != nullptr);
    }
}

TEST_CASE("routes are found by method and path") {
    struct Row {
        const char* method;
        const char* path;
        bool found;
        bool known;
    };
    const Row rows[] = {{"POST", "/v1/responses", true, true},    {"GET", "/v1/responses", false, true},
                        {"POST", "/v1/responses/", false, false}, {"POST", "/v1/chat/completions", true, true},
                        {"GET", "/v1/models", true, true},        {"GET", "/v1/models/gpt-5", true, true},
                        {"GET", "/v1/models/", false, false},     {"GET", "/v1/models/a/b", false, false},
                        {"DELETE", "/v1/models", false, true},    {"GET", "/", false, false}};
    for (const Row& row : rows) {
        CAPTURE(row.method);
        CAPTURE(row.path);
        const RouteMatch match = find_route(row.method, row.path);
        CHECK((match.route != nullptr) == row.found);
        CHECK(match.path_known == row.known);
    }
    CHECK(find_route("GET", "/v1/models/gpt-5").segments[0] == "gpt-5");
}
