// Responses over WebSocket as the mock serves it.
#include <string>

#include <doctest/doctest.h>

#include "client.hpp"
#include "mock/server.hpp"
#include "support/websocket_client.hpp"

using namespace oai;
using namespace oai::mock;
using namespace oai::mock::test;
using oai::test::Conversation;

namespace {

Conversation hold(const Server& server, Conversation conversation) {
    oai::test::hold(server.port(), conversation);
    return conversation;
}

const std::string kTurn = R"({"type":"response.create","model":"gpt-5-mini","input":"hi"})";

std::string turn(const std::string& model, const std::string& more = {}) {
    return R"({"type":"response.create","model":")" + model + R"(","input":"hi")" + more + "}";
}

}  // namespace

TEST_CASE("a message is answered with the events of its stream, one message each") {
    ServerOptions options;
    options.control = true;
    auto server = start(options);
    const auto stream =
        http::fetch_blocking(post(*server, "/v1/responses", R"({"model":"gpt-5-mini","input":"hi","stream":true})"));
    REQUIRE(stream);
    const std::vector<std::string> want = events(stream->body);

    const Conversation c = hold(*server, {.say = {kTurn, kTurn}, .fields = "x-told: once\r\n"});
    CHECK(c.status == 101);
    REQUIRE(c.heard.size() == 2);
    for (const std::vector<std::string>& heard : c.heard) {
        REQUIRE(heard.size() == want.size());
        for (std::size_t i = 0; i < heard.size(); ++i) CHECK(type_of(heard[i]) == type_of(want[i]));
    }
    CHECK(c.closed == http::CloseCode::normal);
    CHECK(server->counters().requests == 3);
    CHECK(server->counters().answered == 3);
    CHECK(server->counters().connections == 2);
    const std::vector<ReceivedRequest> received = server->received();
    REQUIRE(received.size() == 3);
    CHECK(received[1].method == "GET");
    CHECK(received[1].target == "/v1/responses");
    CHECK(received[1].header("x-told") == "once");
    CHECK(received[1].body == kTurn);
    CHECK(received[2].number == 3);
}

TEST_CASE("a warm-up is created and completed, and has no output") {
    auto server = start({});
    const Conversation c = hold(*server, {.say = {turn("m", R"(,"generate":false,"store":false)"),
                                                  turn("m", R"(,"store":false,"previous_response_id":"{id}")")}});
    REQUIRE(c.heard.size() == 2);
    REQUIRE(c.heard[0].size() == 2);
    CHECK(type_of(c.heard[0][0]) == "response.created");
    CHECK(type_of(c.heard[0][1]) == "response.completed");
    const json::Value warm = parse(c.heard[0][1]);
    CHECK(warm.find_path("response.output")->items().empty());
    CHECK(warm.find_path("response.usage.output_tokens")->as_int() == 0);
    CHECK(type_of(c.heard[1].back()) == "response.completed");
}

TEST_CASE("a response that is not stored is known to the connection that brought it, and to no other") {
    auto server = start({});
    const std::string unstored = turn("m", R"(,"store":false)");
    const Conversation here = hold(*server, {.say = {unstored, turn("m", R"(,"previous_response_id":"{id}")")}});
    REQUIRE(here.heard.size() == 2);
    CHECK(type_of(here.heard[1].back()) == "response.completed");
    for (const bool stored : {false, true}) {
        CAPTURE(stored);
        const Conversation first = hold(*server, {.say = {stored ? kTurn : unstored}});
        const std::string id(parse(first.heard[0].back()).find_path("response.id")->as_string().value());
        const Conversation next = hold(*server, {.say = {turn("m", R"(,"previous_response_id":")" + id + "\"")}});
        REQUIRE(next.heard.size() == 1);
        const json::Value last = parse(next.heard[0].back());
        CHECK(last.find("type")->as_string() == (stored ? "response.completed" : "error"));
        if (stored) continue;
        CHECK(last.find("status")->as_int() == 400);
        CHECK(last.find_path("error.code")->as_string() == "previous_response_not_found");
    }
}

TEST_CASE("what goes wrong with a turn") {
    struct Row {
        const char* name;
        std::string say;
        std::size_t heard;       ///< messages of the answer
        const char* last;        ///< what the last of them holds
        http::CloseCode closed;  ///< abnormal: without a Close
        bool goes_on;            ///< the next turn is answered
    };
    using enum http::CloseCode;
    const Row rows[] = {
        {"another type", R"({"type":"response.append","model":"m"})", 1, "response.create", normal, true},
        {"no JSON", "hello", 1, "JSON", normal, true},
        {"no model", R"({"type":"response.create"})", 1, "'model'", normal, true},
        {"an error", turn("mock-error-429"), 1, R"("status":429)", normal, true},
        {"an error in a 200", turn("mock-error-in-200"), 1, R"("status":500)", normal, true},
        {"its own failure", turn("mock-failed-event-after-2"), 7, "response.failed", normal, true},
        {"cut in the middle", turn("mock-cut-after-2"), 6, "output_text.delta", abnormal, false},
        {"cut before anything", turn("mock-cut-before-head"), 0, "", abnormal, false},
        {"closed from inside", turn("mock-close-1011-after-1"), 5, "output_text.delta", internal, false},
        {"closed for now", turn("mock-close-1013-before-output"), 2, "in_progress", try_again_later, false},
        {"garbage", turn("mock-bad-chunk-after-1"), 5, "output_text.delta", abnormal, false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        auto server = start({});
        const Conversation c = hold(*server, {.say = {row.say, kTurn}});
        REQUIRE(c.heard.size() == (row.goes_on ? 2 : 1));
        CHECK(c.heard[0].size() == row.heard);
        if (!c.heard[0].empty()) CHECK(c.heard[0].back().find(row.last) != std::string::npos);
        CHECK(c.closed == row.closed);
        if (row.goes_on) CHECK(type_of(c.heard[1].back()) == "response.completed");
    }
}

TEST_CASE("a silent turn lasts until its client leaves") {
    auto server = start({});
    for (const char* fault : {"mock-hang", "mock-stall-after-2"}) {
        CAPTURE(fault);
        const bool hangs = std::string(fault) == "mock-hang";
        const Conversation c = hold(*server, {.say = {turn(fault)}, .leave_after = hangs ? 0U : 6U});
        CHECK(c.heard.size() == 1);
        CHECK(soon([&] { return server->counters().open == 0; }));
    }
}

TEST_CASE("an upgrade that is refused") {
    struct Row {
        const char* name;
        bool websocket;
        std::string fields;
        int status;
    };
    const Row rows[] = {
        {"switched off", false, "authorization: Bearer sk-one\r\n", 405},
        {"a wrong key", true, "authorization: Bearer sk-two\r\n", 401},
        {"the right one", true, "authorization: Bearer sk-one\r\n", 101},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        ServerOptions options;
        options.behaviour.websocket = row.websocket;
        options.behaviour.api_keys = {"sk-one"};
        auto server = start(options);
        const Conversation c = hold(*server, {.say = {kTurn}, .fields = row.fields});
        CHECK(c.status == row.status);
        CHECK(c.opened == (row.status == 101));
    }
}
