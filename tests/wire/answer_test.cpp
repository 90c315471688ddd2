#include "wire/answer.hpp"

#include <doctest/doctest.h>

using namespace oai;
using namespace oai::wire;
using metrics::Outcome;

TEST_CASE("a JSON answer tells its ending and its usage") {
    struct Row {
        const char* name;
        Terminal terminal;
        const char* body;
        bool is_json;
        Ending ending;
        std::optional<Usage> usage;
    };
    const Row rows[] = {
        {"responses", Terminal::responses,
         R"({"id":"r","status":"completed","error":null,"output":[{"content":[{"text":"\"usage\":{}"}]}],"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":1},"output_tokens":4,"total_tokens":13}})",
         true, Ending::completed, Usage{9, 4}},
        {"responses at the caller's limit", Terminal::responses,
         R"({"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"usage":{"input_tokens":1,"output_tokens":32}})",
         true, Ending::token_limit, Usage{1, 32}},
        {"responses cut for content", Terminal::responses,
         R"({"status":"incomplete","incomplete_details":{"reason":"content_filter"}})", true, Ending::incomplete,
         std::nullopt},
        {"responses failed", Terminal::responses,
         R"({"status":"failed","error":{"code":"server_error","message":"x"}})", true, Ending::failed, std::nullopt},
        {"chat", Terminal::chat,
         R"({"choices":[{"message":{"content":"the \"length\" of"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2}})",
         true, Ending::completed, Usage{5, 2}},
        {"chat at the limit", Terminal::chat,
         R"({"choices":[{"message":{"content":"x"}, "finish_reason" : "length"}]})", true, Ending::token_limit,
         std::nullopt},
        {"chat that speaks of a limit", Terminal::chat,
         R"({"choices":[{"message":{"tool":{"finish_reason":"length"}},"finish_reason":"stop"},{"finish_reason":"length"}]})",
         true, Ending::completed, std::nullopt},
        {"chat without choices", Terminal::chat, R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}})",
         true, Ending::completed, Usage{5, 2}},
        {"an error in a 200", Terminal::chat, R"({"error":{"message":"overloaded"}})", true, Ending::failed,
         std::nullopt},
        {"a page", Terminal::responses, "<html></html>", false, Ending::none, std::nullopt},
        {"cut", Terminal::responses, R"({"status":"completed","usage":{"input)", false, Ending::none, std::nullopt},
        {"usage in the other vocabulary", Terminal::responses, R"({"status":"completed","usage":{"prompt_tokens":1}})",
         true, Ending::completed, Usage{1, 0}},
        {"usage of another kind", Terminal::responses, R"({"status":"completed","usage":{"tokens":1}})", true,
         Ending::completed, std::nullopt},
        {"a message", Terminal::messages,
         R"({"type":"message","id":"msg_1","stop_reason":"end_turn","usage":{"input_tokens":7,"output_tokens":3}})",
         true, Ending::completed, Usage{7, 3}},
        {"a message at the limit", Terminal::messages, R"({"type":"message","stop_reason":"max_tokens"})", true,
         Ending::token_limit, std::nullopt},
        {"Anthropic's error in a 200", Terminal::messages,
         R"({"type":"error","error":{"type":"overloaded_error","message":"x"}})", true, Ending::failed, std::nullopt},
        {"embeddings", Terminal::none, R"({"object":"list","data":[],"usage":{"prompt_tokens":8,"total_tokens":8}})",
         true, Ending::completed, Usage{8, 0}},
        {"negative tokens", Terminal::responses,
         R"({"status":"completed","usage":{"input_tokens":-1,"output_tokens":99999999999}})", true, Ending::completed,
         Usage{0, 4294967295u}},
    };
    json::Scanner scanner;
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const Answer answer = read_answer(row.terminal, scanner.copy(row.body), scanner);
        CHECK(answer.is_json == row.is_json);
        CHECK(answer.ending == row.ending);
        CHECK(answer.usage == row.usage);
    }
}

TEST_CASE("an answer inside an event is read like one that stands alone") {
    json::Scanner scanner;
    const json::Padded event = scanner.copy(
        R"({"type":"response.incomplete","usage":{"input_tokens":1},"response":{"id":"r","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"usage":{"input_tokens":8,"output_tokens":2}}})");
    const Answer answer = read_answer(Terminal::responses, scanner.find(event, {"response"}), scanner);
    CHECK(answer.is_json);
    CHECK(answer.ending == Ending::token_limit);
    CHECK(answer.usage == Usage{8, 2});
    CHECK(answer.id == "r");
    CHECK_FALSE(read_answer(Terminal::responses, scanner.find(event, {"type"}), scanner).is_json);
    CHECK_FALSE(read_answer(Terminal::responses, json::Member{}, scanner).is_json);
}

TEST_CASE("status and ending make one outcome") {
    CHECK(outcome_of(200, Ending::completed).outcome == Outcome::ok);
    CHECK(outcome_of(200, Ending::none).outcome == Outcome::truncated);
    CHECK(outcome_of(200, Ending::failed).outcome == Outcome::stream_error);
    CHECK(outcome_of(200, Ending::token_limit).token_limited);
    CHECK_FALSE(outcome_of(200, Ending::incomplete).token_limited);
    CHECK(outcome_of(429, Ending::completed).outcome == Outcome::http_429);
    CHECK(outcome_of(404, Ending::completed).outcome == Outcome::http_4xx);
    CHECK(outcome_of(529, Ending::completed).outcome == Outcome::http_5xx);
}
