// An upstream that refuses, lies, cuts or says nothing.

#include <algorithm>
#include <vector>

#include <doctest/doctest.h>

#include "integration/scripted_upstream.hpp"
#include "integration/system.hpp"

using namespace oai::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* kTimeouts =
    "[timeouts]\nconnect = \"300ms\"\nfirst_output = \"300ms\"\nidle = \"300ms\"\ntotal = \"600ms\"\n";

const std::string kSecretBody =
    R"({"error":{"message":"Incorrect API key provided: sk-upst*****test","code":"invalid_api_key"}})";
const std::string kCreated = "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{}}\n\n";
const std::string kDelta =
    "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n";
const std::string kChatRole =
    "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n";
const std::string kChatDelta = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]}\n\n";

Script broken(const std::string& bytes) {
    return {.bytes = bytes, .close = true, .hang = false, .pause = {}};
}

Script silent(Script script) {
    script.hang = true;
    return script;
}

/// The events of a stream: their lines, without comments. What no empty line ends is none.
std::vector<std::vector<std::string>> events_in(const std::string& body) {
    std::vector<std::vector<std::string>> events(1);
    for (const std::string& line : lines_of(body)) {
        if (line.starts_with(':')) continue;
        if (!line.empty()) {
            events.back().push_back(line);
        } else if (!events.back().empty()) {
            events.emplace_back();
        }
    }
    events.pop_back();
    return events;
}

/// What must hold of every stream that did not end well: an error event, last and whole, and nothing that looks like a
/// good end. The word is the error's code.
void check_broken_end(const Answer& answer, RawClient& client, const std::string& word = "upstream_") {
    CAPTURE(answer.body.substr(answer.body.size() - std::min<std::size_t>(answer.body.size(), 600)));
    CHECK(answer.status == 200);
    CHECK(answer.whole);
    const std::vector<std::vector<std::string>> events = events_in(answer.body);
    REQUIRE(!events.empty());
    REQUIRE(events.back().size() == 2);
    CHECK(events.back()[0] == "event: error");
    REQUIRE(events.back()[1].starts_with("data: "));
    const oai::json::Value event = parse_json(events.back()[1].substr(6));
    CHECK(text_at(event, "error.code").starts_with(word));
    CHECK(!text_at(event, "error.message").empty());
    CHECK(answer.body.find("[DONE]") == std::string::npos);
    CHECK(answer.body.find("response.completed") == std::string::npos);
    CHECK(answer.body.find("\"finish_reason\":\"stop\"") == std::string::npos);
    CHECK(client.closed());
}

}  // namespace

TEST_CASE("an upstream's refusals pass as they are, unless they are about the gateway's own account") {
    ScriptedUpstream upstream(json_script(200, "{}"));
    struct Row {
        std::string name;
        int theirs;
        std::string fields, body;
        int ours;
    };
    const std::string plain = R"({"error":{"message":"no","type":"x","param":null,"code":null}, "more": [1.0]})";
    const Row rows[] = {
        {"400", 400, "", plain, 400},
        {"404", 404, "", plain, 404},
        {"413", 413, "", plain, 413},
        {"422", 422, "", plain, 422},
        {"429", 429, "retry-after: 17\r\nx-ratelimit-reset-requests: 1s\r\n", plain, 429},
        {"500", 500, "", plain, 500},
        {"503", 503, "retry-after: 3\r\n", plain, 503},
        {"529", 529, "", plain, 529},
        {"500 in HTML", 500, "", "<html>oops</html>", 500},
        {"401", 401, "www-authenticate: Bearer\r\n", kSecretBody, 502},
        {"402", 402, "", kSecretBody, 502},
        {"403", 403, "", kSecretBody, 502},
    };
    for (const Row& row : rows) {
        for (const bool stream : {false, true}) {
            CAPTURE(row.name);
            CAPTURE(stream);
            upstream.set_script(json_script(row.theirs, row.body, row.fields));
            const Gateway gateway({.upstream = upstream.url(), .config = {}});  // the account's health is its own
            RawClient client(gateway.port());
            REQUIRE(client.send(post("/v1/responses", responses_body("gpt-5", stream))));
            const Answer answer = client.read_answer();
            CHECK(answer.whole);
            CHECK(answer.status == row.ours);
            if (row.ours == row.theirs) {
                CHECK(answer.body == row.body);
                CHECK(answer.field("content-type") == "application/json");
                if (row.theirs == 429) CHECK(answer.field("retry-after") == "17");
                if (row.theirs == 429) CHECK(answer.field("x-ratelimit-reset-requests") == "1s");
                if (row.theirs == 503) CHECK(answer.field("retry-after") == "3");
            } else {
                CHECK(error_of(answer, "type") == "upstream_error");
                CHECK(answer.body.find("sk-") == std::string::npos);
                CHECK(answer.field("www-authenticate").empty());
            }
        }
    }
}

TEST_CASE("answers that are none become 502 in OpenAI's shape, and the connection to the client stays") {
    ScriptedUpstream upstream(json_script(200, "{}"));
    const Gateway gateway({.upstream = upstream.url(), .config = {}});
    const std::string head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    struct Row {
        std::string name;
        Script script;
    };
    const Row rows[] = {
        {"an HTML page",
         broken("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 15\r\n\r\n<html>hi</html>")},
        {"JSON that is none", json_script(200, "{\"model\":")},
        {"nothing at all", json_script(200, "")},
        {"a length that is not reached", broken(head + "content-length: 100\r\n\r\n{\"id\":\"resp_1\"}")},
        {"JSON until the close, cut", broken(head + "\r\n{\"id\":\"resp_1\",")},
        {"chunks that are cut", broken(head + "transfer-encoding: chunked\r\n\r\n" + chunk("{\"id\":"))},
        {"chunks that are none", broken(head + "transfer-encoding: chunked\r\n\r\nzz\r\n")},
        {"a close without a word", broken("")},
        {"a head that is cut", broken("HTTP/1.1 200 OK\r\ncontent-ty")},
        {"no HTTP", broken("220 mail.example ESMTP\r\n\r\n")},
        {"both lengths", broken(head + "content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n")},
    };
    RawClient client(gateway.port());
    for (const Row& row : rows) {
        for (const bool stream : {false, true}) {
            CAPTURE(row.name);
            CAPTURE(stream);
            upstream.set_script(row.script);
            REQUIRE(client.send(post("/v1/responses", responses_body("gpt-5", stream))));
            const Answer answer = client.read_answer();
            CAPTURE(answer.body);
            CHECK(answer.whole);
            CHECK(answer.status == 502);
            CHECK(error_of(answer, "type") == "upstream_error");
            CHECK(answer.body.find(std::to_string(upstream.port())) == std::string::npos);
            CHECK(answer.body.find("html") == std::string::npos);
        }
    }
    // Every one of them is a failure of the upstream.
    const oai::json::Value overview = gateway.overview();
    const std::int64_t asked = 2 * std::ssize(rows);
    CHECK(number_at(overview, "data.request_count_total") == asked);
    CHECK(number_at(overview, "data.error_count_sla") == asked);
    CHECK(number_at(overview, "data.upstream_error_count_excl_429_529") == asked);
}

TEST_CASE("an upstream that refuses connections is a 502 that names no address") {
    std::uint16_t port = 0;
    {
        const ScriptedUpstream gone(json_script(200, "{}"));
        port = gone.port();
    }
    const Gateway gateway({.upstream = "http://127.0.0.1:" + std::to_string(port), .config = {}});
    const Answer answer = ask(gateway.port(), post("/v1/responses", responses_body("gpt-5")));
    CHECK(answer.status == 502);
    CHECK(error_of(answer, "code") == "upstream_unreachable");
    CHECK(answer.body.find("127.0.0.1") == std::string::npos);
    CHECK(number_at(gateway.overview(), "data.metrics.whole.outcomes.connect_error") == 1);
}

TEST_CASE("a stream that is cut ends with an error event, whatever was cut") {
    ScriptedUpstream upstream(json_script(200, "{}"));
    const Gateway gateway({.upstream = upstream.url(), .config = {}});
    struct Row {
        std::string name;
        const char* path;
        Script script;
        std::string kept;  ///< what must have arrived before the error event
    };
    Script garbled = cut_stream_script(kCreated + kDelta);
    garbled.bytes += "zz\r\n";
    // It ends its chunks as if all were well.
    Script ended = stream_script(kCreated + kDelta);
    const Row rows[] = {
        {"behind an event", "/v1/responses", cut_stream_script(kCreated + kDelta), kCreated + kDelta},
        {"in an event", "/v1/responses", cut_stream_script(kCreated + kDelta + kDelta.substr(0, 50)),
         kCreated + kDelta},
        {"in an event's last line end", "/v1/responses",
         cut_stream_script(kCreated + kDelta.substr(0, kDelta.size() - 1)), kCreated},
        {"before the first output", "/v1/responses", cut_stream_script(kCreated), kCreated},
        {"before the first event", "/v1/responses", cut_stream_script(""), ""},
        // Bytes that come in one read with what is garbled may be lost with it.
        {"by a chunk that is none", "/v1/responses", garbled, ""},
        {"by a good end of its chunks", "/v1/responses", ended, kCreated + kDelta},
        {"chat, behind an event", "/v1/chat/completions", cut_stream_script(kChatRole + kChatDelta),
         kChatRole + kChatDelta},
        {"chat, by a good end of its chunks", "/v1/chat/completions", stream_script(kChatRole + kChatDelta),
         kChatRole + kChatDelta},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        upstream.set_script(row.script);
        RawClient client(gateway.port());
        const bool chat = std::string_view(row.path).ends_with("completions");
        REQUIRE(client.send(post(row.path, chat ? chat_body("gpt-5", true) : responses_body("gpt-5", true))));
        const Answer answer = client.read_answer();
        CHECK(answer.body.starts_with(row.kept));
        check_broken_end(answer, client);
    }
    const oai::json::Value overview = gateway.overview();
    CHECK(number_at(overview, "data.error_count_sla") == std::ssize(rows));
    CHECK(number_at(overview, "data.upstream_error_count_excl_429_529") == std::ssize(rows));
    CHECK(number_at(overview, "data.metrics.stream.outcomes.ok") == 0);
}

TEST_CASE("an upstream's own error event passes as it is and counts as a failure") {
    const std::string failed =
        "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"error\":{"
        "\"code\":\"server_error\",\"message\":\"x\"}}}\n\n";
    ScriptedUpstream upstream(stream_script(kCreated + kDelta + failed));
    const Gateway gateway({.upstream = upstream.url(), .config = {}});
    const Answer answer = ask(gateway.port(), post("/v1/responses", responses_body("gpt-5", true)));
    CHECK(answer.whole);
    CHECK(answer.body == kCreated + kDelta + failed);
    CHECK(number_at(gateway.overview(), "data.metrics.stream.outcomes.stream_error") == 1);
    CHECK(number_at(gateway.overview(), "data.error_count_sla") == 1);
}

TEST_CASE("an upstream that says nothing is a 504, or an error event once the stream has begun") {
    ScriptedUpstream upstream(json_script(200, "{}"));
    const Gateway gateway({.upstream = upstream.url(), .config = kTimeouts});
    const auto timed = [&](const Script& script, bool stream, const auto& check) {
        upstream.set_script(script);
        const auto start = std::chrono::steady_clock::now();
        RawClient client(gateway.port());
        REQUIRE(client.send(post("/v1/responses", responses_body("gpt-5", stream))));
        const Answer answer = client.read_answer();
        const auto took = std::chrono::steady_clock::now() - start;
        CHECK(took > 250ms);
        CHECK(took < 5s);
        check(answer, client);
    };
    const auto is_504 = [](const Answer& answer, RawClient&) {
        CHECK(answer.status == 504);
        CHECK(error_of(answer, "code") == "upstream_timeout");
    };
    const auto is_event = [](const Answer& answer, RawClient& client) {
        check_broken_end(answer, client, "upstream_timeout");
    };
    SUBCASE("never an answer") {
        timed(silent(broken("")), false, is_504);
    }
    SUBCASE("never an answer to a stream") {
        timed(silent(broken("")), true, is_504);
    }
    SUBCASE("half an answer") {
        timed(silent(broken("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{")),
              false, is_504);
    }
    SUBCASE("a stream without an event") {
        timed(silent(cut_stream_script("")), true, is_event);
    }
    SUBCASE("a stream that stalls before its output") {
        timed(silent(cut_stream_script(kCreated)), true, is_event);
    }
    SUBCASE("a stream that stalls after its output") {
        timed(silent(cut_stream_script(kCreated + kDelta)), true, is_event);
    }
    CHECK(number_at(gateway.overview(), "data.metrics.whole.outcomes.timeout") == 1);
    CHECK(number_at(gateway.overview(), "data.error_count_sla") == 1);
}

TEST_CASE(
    "keep-alive comments are no output: they do not stretch the first-output timeout, and `total` ends what never "
    "ends") {
    Script comments = cut_stream_script(kCreated);
    for (int i = 0; i < 300; ++i) comments.bytes += chunk(": ping" + std::string(8180, ' ') + "\n\n");
    comments.pause = 20ms;
    ScriptedUpstream upstream(comments);
    const Gateway gateway({.upstream = upstream.url(), .config = kTimeouts});
    {
        RawClient client(gateway.port());
        REQUIRE(client.send(post("/v1/responses", responses_body("gpt-5", true))));
        check_broken_end(client.read_answer(), client, "upstream_timeout");
    }
    Script output = cut_stream_script(kCreated);
    const std::string wide = kDelta + ":" + std::string(8100, ' ') + "\n\n";
    for (int i = 0; i < 300; ++i) output.bytes += chunk(wide);
    output.pause = 20ms;
    upstream.set_script(output);
    const auto start = std::chrono::steady_clock::now();
    RawClient client(gateway.port());
    REQUIRE(client.send(post("/v1/responses", responses_body("gpt-5", true))));
    check_broken_end(client.read_answer(), client, "upstream_timeout");
    CHECK(std::chrono::steady_clock::now() - start < 4s);
}

TEST_CASE("the mock's faults by model name do through the gateway what they do without") {
    const Mock mock;
    const Gateway gateway(mock);
    struct Row {
        std::string model;
        int status;
    };
    const Row rows[] = {{"gpt-5-mock-error-503", 503}, {"gpt-5-mock-error-429-no-hint", 429},
                        {"gpt-5-mock-error-418", 418}, {"gpt-5-mock-error-401", 502},
                        {"gpt-5-mock-cut", 502},       {"gpt-5-mock-cut-before-head", 502},
                        {"gpt-5-mock-nonsense", 400},  {"gpt-5-mock-slow-20ms", 200},
                        {"gpt-5-mock-none", 200}};
    for (const Row& row : rows) {
        CAPTURE(row.model);
        CHECK(ask(gateway.port(), post("/v1/responses", responses_body(row.model))).status == row.status);
    }
    CHECK(ask(gateway.port(), post("/v1/responses", responses_body("gpt-5"), "x-mock-fault: error-500\r\n")).status ==
          500);
    for (const char* model : {"gpt-5-mock-cut-after-3", "gpt-5-mock-cut-before-output"}) {
        CAPTURE(model);
        RawClient client(gateway.port());
        REQUIRE(client.send(post("/v1/chat/completions", chat_body(model, true))));
        check_broken_end(client.read_answer(), client);
    }
}
