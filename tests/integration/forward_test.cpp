// What goes to the upstream and what comes back: bodies, headers, names of models.

#include <thread>

#include <doctest/doctest.h>

#include "integration/scripted_upstream.hpp"
#include "integration/system.hpp"

using namespace oai::test;
using namespace std::chrono_literals;

namespace {

std::string mapped_config(const std::string& url) {
    return "[[provider]]\nname = \"openai\"\n[[provider.version]]\nversion = \"v7\"\nprops = { base_url = \"" + url +
           "/base/v1\", api_key = \"" + kUpstreamKey + "\" }\n[[route]]\nmodel = \"*\"\nprovider = \"llm/openai\"\n" +
           "map = { \"alias\" = \"real-model\", \"na\\u00efve\" = \"real \\\"quoted\\\"\" }\n";
}

/// A few events of a Responses stream, whose text names the upstream's model where nobody may touch it.
std::string events_of(const std::string& model) {
    return "event: response.created\ndata: "
           "{\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"resp_1\",\"model\":\"" +
           model + "\",\"status\":\"in_progress\"}}\n\n" +
           ": keep-alive\n\n"
           "event: response.output_text.delta\ndata: "
           "{\"type\":\"response.output_text.delta\",\"sequence_number\":1,\"delta\":\"I am "
           "\\\"real-model\\\" na\xc3\xafve\",  \"unknown\" : {\"model\":\"real-model\"}}\n\n"
           "event: response.completed\ndata: "
           "{\"type\":\"response.completed\",\"sequence_number\":2,\"response\":{\"id\":\"resp_1\",\"model\":\"" +
           model +
           "\",\"status\":\"completed\",\"metadata\":{\"model\":\"real-model\"},\"usage\":{\"input_tokens\":3,\"output_"
           "tokens\":1}}}\n\n";
}

}  // namespace

TEST_CASE(
    "a large body arrives byte by byte as it was sent, but for the model's name, and the answer comes back alike") {
    ScriptedUpstream upstream(
        json_script(200, R"({ "model" : "real-model", "x": [1.0e5, "\u00ef"], "status":"completed" })"));
    const Gateway gateway({.upstream = "", .config = mapped_config(upstream.url())});
    std::string text;
    for (int i = 0; text.size() < 1'000'000; ++i)
        text += "line " + std::to_string(i) + " \\n \\\"model\\\":\\\"alias\\\" \xe2\x82\xac ";
    const std::string before = "{\n  \"input\": \"" + text +
                               "\",\n\t\"metadata\": {\"model\": \"alias\", \"model\": \"alias\"},\n \"model\" : ";
    const std::string after = " , \"n\": 1.50, \"deep\": [[[{}]]], \"z\": 12345678901234567890123 \n}";
    const Answer answer = ask(gateway.port(), post("/v1/responses", before + "\"alias\"" + after));
    CHECK(answer.status == 200);
    CHECK((answer.body == R"({ "model" : "alias", "x": [1.0e5, "\u00ef"], "status":"completed" })"));
    const Received got = upstream.last();
    const std::string expected = before + "\"real-model\"" + after;
    CHECK(got.body.size() == expected.size());
    CHECK((got.body == expected));  // in brackets: a failure prints no megabyte
    CHECK(got.head.starts_with("POST /base/v1/responses HTTP/1.1\r\n"));
    CHECK(got.field("content-length") == std::to_string(expected.size()) + "\n");

    // A name that is not mapped: not a byte changes.
    const std::string plain = before + "\"other\"" + after;
    CHECK(ask(gateway.port(), post("/v1/responses", plain)).status == 200);
    CHECK((upstream.last().body == plain));
    // Names that need quoting.
    upstream.set_script(json_script(200, R"({"model":"real \"quoted\"","status":"completed"})"));
    const Answer quoted = ask(gateway.port(), post("/v1/responses", responses_body("na\xc3\xafve")));
    CHECK(quoted.body == "{\"model\":\"na\xc3\xafve\",\"status\":\"completed\"}");
    CHECK(upstream.last().body == R"({"model":"real \"quoted\"","input":"hi"})");
    CHECK(ask(gateway.port(), post("/v1/responses", responses_body("na\\u00efve"))).status == 200);
    CHECK(upstream.last().body == R"({"model":"real \"quoted\"","input":"hi"})");
}

TEST_CASE("the client's credentials, cookies and hop-by-hop fields end at the gateway, its other fields go on") {
    ScriptedUpstream upstream(
        json_script(200, R"({"model":"gpt-5","status":"completed"})",
                    "set-cookie: session=secret\r\nopenai-organization: org-ours\r\nopenai-project: "
                    "proj-ours\r\nx-request-id: req_theirs\r\nx-ratelimit-remaining-requests: 7\r\n"
                    "openai-processing-ms: 12\r\nkeep-alive: timeout=5\r\nx-custom: kept\r\n"));
    const Gateway gateway({.upstream = upstream.url(), .config = {}});
    const Answer answer = ask(
        gateway.port(),
        post("/v1/responses?beta=1", responses_body("gpt-5"),
             "cookie: a=b\r\nx-api-key: sk-second\r\napi-key: sk-third\r\nproxy-authorization: Basic eA==\r\n"
             "connection: keep-alive, x-hop\r\nx-hop: 1\r\nkeep-alive: 5\r\nte: trailers\r\nupgrade: "
             "h2c\r\nforwarded: for=1.2.3.4\r\nx-forwarded-for: 1.2.3.4\r\naccept-encoding: gzip, br\r\n"
             "user-agent: codex_cli_rs/0.1.0\r\noriginator: codex\r\nsession_id: s-1\r\nOpenAI-Beta: responses=v1\r\n"
             "idempotency-key: k-1\r\ntraceparent: 00-1-2-01\r\nanthropic-version: 2023-06-01\r\nx-stainless-lang: "
             "js\r\n"));
    CHECK(answer.status == 200);
    const Received got = upstream.last();
    CHECK(got.head.starts_with("POST /v1/responses?beta=1 HTTP/1.1\r\n"));
    CHECK(got.field("authorization") == "Bearer " + kUpstreamKey + "\n");
    CHECK(got.field("host") == upstream.url().substr(7) + "\n");
    CHECK(got.field("accept-encoding") == "identity\n");
    for (const char* name : {"cookie", "x-api-key", "api-key", "proxy-authorization", "x-hop", "keep-alive", "te",
                             "upgrade", "forwarded", "x-forwarded-for", "transfer-encoding", "connection"}) {
        CAPTURE(name);
        CHECK(got.field(name).empty());
    }
    CHECK(got.field("user-agent") == "codex_cli_rs/0.1.0\n");
    CHECK(got.field("originator") == "codex\n");
    CHECK(got.field("session_id") == "s-1\n");
    CHECK(got.field("openai-beta") == "responses=v1\n");
    CHECK(got.field("idempotency-key") == "k-1\n");
    CHECK(got.field("traceparent") == "00-1-2-01\n");
    CHECK(got.field("anthropic-version") == "2023-06-01\n");
    CHECK(got.field("x-stainless-lang") == "js\n");
    CHECK(got.field("content-type") == "application/json\n");
    CHECK(got.head.find("sk-second") == std::string::npos);

    for (const char* name : {"set-cookie", "openai-organization", "openai-project", "keep-alive"}) {
        CAPTURE(name);
        CHECK(answer.field(name).empty());
    }
    CHECK(answer.field("x-upstream-request-id") == "req_theirs");
    CHECK(answer.field("x-request-id").starts_with("req_"));
    CHECK(answer.field("x-request-id") != "req_theirs");
    CHECK(answer.field("x-ratelimit-remaining-requests") == "7");
    CHECK(answer.field("openai-processing-ms") == "12");
    CHECK(answer.field("x-custom") == "kept");
    CHECK(answer.field("x-oaigw-version") == "v1");
    CHECK(!answer.field("x-oaigw-overhead-us").empty());
}

TEST_CASE("expose_routing = false hides the gateway's own fields") {
    ScriptedUpstream upstream(json_script(200, R"({"model":"gpt-5"})", "x-oaigw-version: theirs\r\n"));
    const Gateway gateway({.upstream = upstream.url(), .config = "expose_routing = false\n"});
    const Answer answer = ask(gateway.port(), post("/v1/responses", responses_body("gpt-5")));
    CHECK(answer.status == 200);
    CHECK(answer.field("x-oaigw-version").empty());
    CHECK(answer.field("x-oaigw-overhead-us").empty());
}

TEST_CASE("a stream passes byte by byte, and with a mapping differs in the model's name alone") {
    const std::string events = events_of("real-model");
    ScriptedUpstream upstream(stream_script(events, "cache-control: no-cache\r\n"));
    const Gateway gateway({.upstream = "", .config = mapped_config(upstream.url())});
    const Answer same = ask(gateway.port(), post("/v1/responses", responses_body("real-model", true)));
    CHECK(same.whole);
    CHECK(same.body == events);
    CHECK(same.field("content-type") == "text/event-stream; charset=utf-8");
    CHECK(same.field("cache-control") == "no-cache");
    CHECK(same.field("x-oaigw-version") == "v7");

    const Answer mapped = ask(gateway.port(), post("/v1/responses", responses_body("alias", true)));
    CHECK(mapped.whole);
    CHECK(mapped.body == events_of("alias"));
    CHECK(upstream.last().body == responses_body("real-model", true));

    // However the bytes come.
    Script slow = stream_script("");
    slow.bytes = slow.bytes.substr(0, slow.bytes.find("\r\n\r\n") + 4);
    for (const char c : events) slow.bytes += chunk(std::string(1, c));
    slow.bytes += "0\r\n\r\n";
    upstream.set_script(slow);
    const Answer split = ask(gateway.port(), post("/v1/responses", responses_body("alias", true)));
    CHECK(split.whole);
    CHECK(split.body == events_of("alias"));

    // The stream of an upstream that frames by closing.
    Script closing = stream_script("");
    closing.bytes = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + events;
    closing.close = true;
    upstream.set_script(closing);
    const Answer until_close = ask(gateway.port(), post("/v1/responses", responses_body("alias", true)));
    CHECK(until_close.whole);
    CHECK(until_close.body == events_of("alias"));
}

TEST_CASE("mapping works in chat too, there and back") {
    const auto chunk_of = [](const std::string& model, const std::string& rest) {
        return "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"" + model + "\",\"choices\":[" +
               rest + "]}\n\n";
    };
    const auto chat_events = [&](const std::string& model) {
        return chunk_of(model, R"({"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null})") +
               chunk_of(model, R"({"index":0,"delta":{"content":"real-model"},"finish_reason":null})") +
               chunk_of(model, R"({"index":0,"delta":{},"finish_reason":"stop"})") + "data: [DONE]\n\n";
    };
    ScriptedUpstream upstream(stream_script(chat_events("real-model")));
    const Gateway gateway({.upstream = "", .config = mapped_config(upstream.url())});
    const Answer stream = ask(gateway.port(), post("/v1/chat/completions", chat_body("alias", true)));
    CHECK(stream.whole);
    CHECK(stream.body == chat_events("alias"));
    // The usage is asked for, and the rest is the client's.
    const std::string asked = R"({"stream_options":{"include_usage":true},)" + chat_body("real-model", true).substr(1);
    CHECK(upstream.last().body == asked);
    CHECK(upstream.last().head.starts_with("POST /base/v1/chat/completions "));
    upstream.set_script(
        json_script(200, R"({"id":"c1","choices":[{"message":{"content":"real-model"}}],"model":"real-model"})"));
    const Answer whole = ask(gateway.port(), post("/v1/chat/completions", chat_body("alias")));
    CHECK(whole.body == R"({"id":"c1","choices":[{"message":{"content":"real-model"}}],"model":"alias"})");
}

TEST_CASE("chat's usage chunk is asked for, and kept from a client that did not ask") {
    const std::string text = "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"},\"finish_reason\":\"stop\"}]}\n\n";
    const std::string usage =
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":5,\"total_tokens\":12}}\n\n";
    const std::string done = "data: [DONE]\n\n";
    ScriptedUpstream upstream(stream_script(text + usage + done));
    const Gateway gateway({.upstream = upstream.url(), .config = {}});
    struct Row {
        const char* options;  ///< in the client's body
        const char* sent;     ///< in the upstream's
        bool passes;
    };
    const Row rows[] = {
        {"", R"("stream_options":{"include_usage":true},)", false},
        {R"("stream_options":{"include_usage":true},)", R"("stream_options":{"include_usage":true},)", true},
        {R"("stream_options":{"include_usage":false},)", R"("stream_options":{"include_usage":true},)", false},
        {R"("stream_options":{},)", R"("stream_options":{"include_usage":true},)", false},
        {R"("stream_options":{"x": 1},)", R"("stream_options":{"include_usage":true,"x": 1},)", false},
        {R"("stream_options":null,)", R"("stream_options":{"include_usage":true},)", false},
    };
    std::int64_t tokens = 0;
    for (const Row& row : rows) {
        CAPTURE(std::string(row.options));
        const std::string rest = chat_body("gpt-5", true).substr(1);
        const Answer answer = ask(gateway.port(), post("/v1/chat/completions", "{" + std::string(row.options) + rest));
        CHECK(upstream.last().body == "{" + std::string(row.sent) + rest);
        CHECK(answer.body == text + (row.passes ? usage : "") + done);
        tokens += 12;
        CHECK(number_at(gateway.overview(), "data.token_consumed") == tokens);
    }
}

TEST_CASE("connections to the upstream are kept, and one that was closed meanwhile costs nobody an answer") {
    ScriptedUpstream upstream(json_script(200, R"({"model":"gpt-5"})"));
    const Gateway gateway({.upstream = upstream.url(), .config = {}, .arguments = {"--workers", "1"}});
    RawClient client(gateway.port());
    for (int i = 0; i < 5; ++i) {
        REQUIRE(client.send(post("/v1/responses", responses_body("gpt-5"))));
        CHECK(client.read_answer().status == 200);
    }
    CHECK(upstream.last().connection == 1);
    // It answers and closes without a word; the next request finds a connection that is dead, or about to die.
    Script closing = json_script(200, R"({"model":"gpt-5"})");
    closing.close = true;
    upstream.set_script(closing);
    for (int i = 0; i < 20; ++i) {
        CAPTURE(i);
        REQUIRE(client.send(post("/v1/responses", responses_body("gpt-5"))));
        CHECK(client.read_answer().status == 200);
    }
    CHECK(upstream.received().size() == 25);
}

TEST_CASE("a slow reader gets all of a large stream") {
    std::string events = "event: response.created\ndata: {\"type\":\"response.created\"}\n\n";
    for (int i = 0; events.size() < 5'000'000; ++i)
        events += "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"" +
                  std::to_string(i) + std::string(200, 'x') + "\"}\n\n";
    events +=
        "event: response.completed\ndata: "
        "{\"type\":\"response.completed\",\"response\":{\"status\":\"completed\"}}\n\n";
    ScriptedUpstream upstream(stream_script(events));
    const Gateway gateway({.upstream = upstream.url(), .config = {}});
    RawClient client(gateway.port());
    CHECK(client.send(post("/v1/responses", responses_body("gpt-5", true))));
    std::this_thread::sleep_for(300ms);  // all buffers on the way are full now
    // Others are served meanwhile.
    CHECK(ask(gateway.port(), request("GET", "/healthz", "", "")).status == 200);
    const Answer answer = client.read_answer();
    CHECK(answer.whole);
    CHECK(answer.body.size() == events.size());
    CHECK((answer.body == events));
}

TEST_CASE(
    "when a client leaves in the middle of its stream, the upstream's connection closes and the gateway serves on") {
    const std::string first =
        "event: response.created\ndata: {\"type\":\"response.created\"}\n\n"
        "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n";
    std::string more;
    for (int i = 0; i < 4000; ++i)
        more += chunk(
            "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n");
    Script script = cut_stream_script(first);
    script.bytes += more;
    script.pause = 5ms;
    script.hang = true;
    ScriptedUpstream upstream(script);
    const Gateway gateway({.upstream = upstream.url(), .config = {}});
    {
        RawClient client(gateway.port());
        CHECK(client.send(post("/v1/responses", responses_body("gpt-5", true))));
        REQUIRE(!client.read_until("output_text.delta").empty());
    }
    CHECK(upstream.saw_peers_leave(1));
    upstream.set_script(json_script(200, R"({"model":"gpt-5"})"));
    CHECK(ask(gateway.port(), post("/v1/responses", responses_body("gpt-5"))).status == 200);
    const oai::json::Value overview = gateway.overview();
    CHECK(number_at(overview, "data.metrics.stream.outcomes.cancelled") == 1);
    CHECK(number_at(overview, "data.client_error_count") == 1);
    CHECK(number_at(overview, "data.error_count_sla") == 0);
}

TEST_CASE("the mock's own log says that a stream was left") {
    const Folder folder;
    const Mock mock({"--gap", "20ms", "--tokens", "500", "--log", (folder / "log").string()});
    const Gateway gateway(mock);
    {
        RawClient client(gateway.port());
        CHECK(client.send(post("/v1/chat/completions", chat_body("gpt-5", true))));
        REQUIRE(!client.read_until("\"content\":\"A").empty());
    }
    const auto until = std::chrono::steady_clock::now() + 5s;
    while (read_file(folder / "log").empty() && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(20ms);
    const oai::json::Value record = parse_json(read_file(folder / "log"));
    const oai::json::Value* complete = record.find("complete");
    REQUIRE(complete != nullptr);
    CHECK(complete->as_bool() == false);
    CHECK(number_at(record, "output_events") < 100);
}

TEST_CASE("when a client leaves while the upstream is silent, the upstream's connection closes too") {
    for (const bool stream : {false, true}) {
        CAPTURE(stream);
        ScriptedUpstream upstream({.bytes = "", .close = true, .hang = true, .pause = {}});
        const Gateway gateway({.upstream = upstream.url(), .config = {}});
        {
            RawClient client(gateway.port());
            CHECK(client.send(post("/v1/responses", responses_body("gpt-5", stream))));
            const auto until = std::chrono::steady_clock::now() + 5s;
            while (upstream.received().empty() && std::chrono::steady_clock::now() < until)
                std::this_thread::sleep_for(2ms);
        }
        CHECK(upstream.saw_peers_leave(1, 2s));
    }
}
