#include "wire/stream_reader.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace oai;
using namespace oai::wire;
using namespace std::chrono_literals;

namespace {

core::TimePoint at(int ms) {
    return core::TimePoint{} + 1h + std::chrono::milliseconds{ms};
}

EventKind kind_of(Terminal terminal, std::string_view data, std::string_view name = {}) {
    json::Scanner scanner;
    StreamReader reader(terminal);
    http::SseEvent event;
    event.name = name;
    event.data = data;
    return reader.take(event, at(0), scanner);
}

}  // namespace

TEST_CASE("only an event with output of the model counts as output: responses") {
    struct Row {
        const char* data;
        EventKind want;
    };
    const Row rows[] = {
        {R"({"type":"response.created","response":{"id":"r","output":[]}})", EventKind::preamble},
        {R"({"type":"response.in_progress","response":{}})", EventKind::preamble},
        {R"({"type":"response.output_item.added","item":{"type":"message","role":"assistant"}})", EventKind::preamble},
        {R"({"type":"response.output_item.added","item":{"type":"function_call","name":"get_weather"}})",
         EventKind::output},
        {R"({"type":"response.output_text.delta","delta":""})", EventKind::preamble},
        {R"({"type":"response.output_text.delta","delta":"a"})", EventKind::output},
        {R"({"type":"response.output_text.delta", "delta" : "\n"})", EventKind::output},
        {R"({"sequence_number":4,"type":"response.refusal.delta","delta":"no"})", EventKind::output},
        {R"({"type":"response.reasoning_summary_text.delta","delta":"hm"})", EventKind::output},
        {R"({"type":"response.function_call_arguments.delta","delta":"{"})", EventKind::output},
        {R"({"type":"response.output_text.done","text":"all of it"})", EventKind::output},
        {R"({"type":"response.output_text.done","text":""})", EventKind::preamble},
        {R"({"type":"response.completed","response":{"status":"completed"}})", EventKind::terminal},
        {R"({"type":"response.done","response":{"status":"completed","output":[{"text":"all"}]}})",
         EventKind::terminal},
        {R"({"type":"response.cancelled","response":{}})", EventKind::terminal},
        {R"({"type":"response.canceled"})", EventKind::terminal},
        {R"({"type":"error","message":"x"})", EventKind::terminal},
        {R"({"type":"response.something.new"})", EventKind::preamble},
    };
    for (const Row& row : rows) {
        CAPTURE(row.data);
        CHECK(kind_of(Terminal::responses, row.data) == row.want);
    }
}

TEST_CASE("only an event with output of the model counts as output: chat") {
    struct Row {
        const char* data;
        EventKind want;
    };
    const Row rows[] = {
        {R"({"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]})", EventKind::preamble},
        {R"({"choices":[{"delta":{"content":"Hi"},"finish_reason":null}]})", EventKind::output},
        {R"({"choices": [{"delta": {"content": "Hi"}, "finish_reason": null}]})", EventKind::output},
        {R"({"choices":[{"delta":{"content":null,"reasoning_content":"hm"}}]})", EventKind::output},
        {R"({"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":""}}]}}]})",
         EventKind::output},
        {R"({"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}]})", EventKind::output},
        {R"({"choices":[{"delta":{},"finish_reason":"stop"}]})", EventKind::terminal},
        {R"({"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}})", EventKind::usage},
        {R"({"error":{"message":"overloaded"}})", EventKind::terminal},
        {"[DONE]", EventKind::done},
    };
    for (const Row& row : rows) {
        CAPTURE(row.data);
        CHECK(kind_of(Terminal::chat, row.data) == row.want);
    }
}

TEST_CASE("a stream gives its times, its gaps, its usage and its ending, however it is cut") {
    const std::string stream =
        ": ping\n\n"
        "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"r\"}}\n\n"
        "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n"
        "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"b\"}\n\n"
        "event: response.output_text.done\ndata: {\"type\":\"response.output_text.done\",\"text\":\"ab\"}\n\n"
        "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\","
        "\"usage\":{\"input_tokens\":7,\"output_tokens\":2}}}\n\n";
    for (std::size_t split = 0; split <= stream.size(); ++split) {
        json::Scanner scanner;
        StreamReader reader(Terminal::responses);
        int gaps = 0;
        const auto on_gap = [&](core::TimePoint, core::TimePoint) { ++gaps; };
        REQUIRE(reader.feed(std::string_view(stream).substr(0, split), at(1), scanner, on_gap));
        REQUIRE(reader.feed(std::string_view(stream).substr(split), at(2), scanner, on_gap));
        CHECK(reader.events() == 5);
        CHECK(reader.output_events() == 2);
        CHECK(gaps == 1);
        CHECK(reader.ending() == Ending::completed);
        CHECK(reader.complete());
        CHECK(reader.usage() == Usage{7, 2});
        CHECK(*reader.first_event() <= *reader.first_output());
    }
}

TEST_CASE("stamps are those of the read that completed the event") {
    json::Scanner scanner;
    StreamReader reader(Terminal::chat);
    std::vector<std::int64_t> gaps;
    const auto on_gap = [&](core::TimePoint from, core::TimePoint to) {
        gaps.push_back(core::elapsed_us(from, to).count());
    };
    REQUIRE(reader.feed("data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\ndata: {\"cho", at(10), scanner,
                        on_gap));
    CHECK(*reader.first_event() == at(10));
    CHECK_FALSE(reader.first_output());
    REQUIRE(reader.feed("ices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n", at(30), scanner, on_gap));
    CHECK(*reader.first_output() == at(30));
    REQUIRE(reader.feed("data: {\"choices\":[{\"delta\":{\"content\":\"y\"}}]}\n\n", at(70), scanner, on_gap));
    CHECK(gaps == std::vector<std::int64_t>{40'000});
    CHECK(reader.ending() == Ending::none);
    REQUIRE(
        reader.feed("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n", at(80), scanner, on_gap));
    CHECK(reader.ending() == Ending::token_limit);
    CHECK(reader.lacks_done());
    REQUIRE(reader.feed("data: [DONE]\n\n", at(81), scanner, on_gap));
    CHECK(reader.complete());
    CHECK(*reader.last_output() == at(70));
}

TEST_CASE("responses that end otherwise say how") {
    struct Row {
        const char* data;
        Ending want;
    };
    const Row rows[] = {
        {R"({"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}}})",
         Ending::token_limit},
        {R"({"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"content_filter"}}})",
         Ending::incomplete},
        {R"({"type":"response.incomplete"})", Ending::incomplete},
        {R"({"type":"response.failed","response":{"status":"failed","error":{"code":"server_error"}}})",
         Ending::failed},
        {R"({"type":"response.cancelled","response":{"id":"resp_1","status":"cancelled"}})", Ending::cancelled},
        {R"({"type":"response.canceled"})", Ending::cancelled},
        {R"({"type":"response.done"})", Ending::completed},
        {R"({"type":"response.done","response":{"id":"resp_1","status":"completed"}})", Ending::completed},
        {R"({"type":"response.done","response":{"id":"resp_1","status":"cancelled"}})", Ending::cancelled},
        {R"({"type":"response.done","response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}}})",
         Ending::token_limit},
        {R"({"type":"response.done","response":{"status":"failed","error":{"code":"server_error"}}})", Ending::failed},
        {R"({"type":"error","code":"x","message":"y"})", Ending::failed},
        {R"({"type":"response.created"})", Ending::none},
    };
    for (const Row& row : rows) {
        CAPTURE(row.data);
        json::Scanner scanner;
        StreamReader reader(Terminal::responses);
        REQUIRE(reader.feed("data: " + std::string(row.data) + "\n\n", at(0), scanner, [](auto, auto) {}));
        CHECK(reader.ending() == row.want);
        CHECK((reader.refusal() != Refusal::none) == (row.want == Ending::failed));
    }
}

TEST_CASE("the text of a member is found by its whole name, wherever the name stands") {
    struct Row {
        const char* data;
        const char* want;
    };
    const Row rows[] = {
        {R"({"delta":"a"})", "a"},
        {R"("delta" : "a")", "a"},
        {R"({"item_delta":"no","delta":"a"})", "a"},
        {R"({"text":"\"delta\":\"no\"","delta":"a"})", "a"},
        {R"({"delta":{"delta":"a"}})", "a"},
        {R"({"delta":"","delta":"a"})", "a"},
        {R"(delta":"no")", ""},
        {R"({"delta":1})", ""},
        {R"({"delta")", ""},
        {"", ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.data);
        CHECK(text_member(row.data, "\"delta\"") == row.want);
    }
}
