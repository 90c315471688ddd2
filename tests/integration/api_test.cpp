// What the gateway says to requests it does not forward.

#include <doctest/doctest.h>

#include "integration/scripted_upstream.hpp"
#include "integration/system.hpp"

using namespace oai::test;

namespace {

/// A gateway before an upstream that must not be asked.
struct Refusing {
    ScriptedUpstream upstream{json_script(200, R"({"id":"resp_1","status":"completed","model":"gpt-5","output":[]})")};
    Gateway gateway{GatewayOptions{.upstream = upstream.url(), .config = {}}};
};

}  // namespace

TEST_CASE(
    "requests that are refused get an error in OpenAI's shape, keep their connection and never reach the upstream") {
    Refusing fixture;
    const std::string body = responses_body("gpt-5");
    struct Row {
        std::string name;
        std::string bytes;
        int status;
        std::string type, code, param;
    };
    const auto responses = [](const std::string& text) { return post("/v1/responses", text); };
    const auto chat = [](const std::string& text) { return post("/v1/chat/completions", text); };
    const std::string bad = "invalid_request_error", invalid = "invalid_request";
    const Row rows[] = {
        {"no key", request("POST", "/v1/responses", "", body), 401, "authentication_error", "invalid_api_key", ""},
        {"an unknown key", request("POST", "/v1/responses", "authorization: Bearer sk-other\r\n", body), 401,
         "authentication_error", "invalid_api_key", ""},
        {"the admin key is no client key", request("POST", "/v1/responses", "x-api-key: " + kAdminKey + "\r\n", body),
         401, "authentication_error", "invalid_api_key", ""},
        {"a key in the query", request("POST", "/v1/responses?api_key=" + kClientKey, "", body), 401,
         "authentication_error", "invalid_api_key", ""},
        {"a key without its scheme",
         request("POST", "/v1/responses", "authorization: Basic " + kClientKey + "\r\n", body), 401,
         "authentication_error", "invalid_api_key", ""},
        {"an unknown path", post("/v1/nothing", body), 404, "not_found_error", "not_found", ""},
        {"a path that only begins well", post("/v1/responses/", body), 404, "not_found_error", "not_found", ""},
        {"a wrong method", request("PUT", "/v1/responses", key_line(), body), 405, bad, "method_not_allowed", ""},
        {"a wrong method for models", request("POST", "/v1/models", key_line(), "{}"), 405, bad, "method_not_allowed",
         ""},
        {"a path with dot segments", post("/v1/../v1/responses", body), 404, "not_found_error", "not_found", ""},
        {"a path in disguise", post("/v1/%72esponses", body), 404, "not_found_error", "not_found", ""},
        {"an empty body", responses(""), 400, bad, invalid, ""},
        {"not JSON", responses("hello"), 400, bad, invalid, ""},
        {"JSON that is cut", responses(R"({"model":"gpt-5","input":"hi")"), 400, bad, invalid, ""},
        {"an array", responses("[]"), 400, bad, invalid, ""},
        {"something behind the object", responses(body + "{}"), 400, bad, invalid, ""},
        {"no model", responses(R"({"input":"hi"})"), 400, bad, invalid, "model"},
        {"a model that is no text", responses(R"({"model":5,"input":"hi"})"), 400, bad, invalid, "model"},
        {"an empty model", responses(R"({"model":"","input":"hi"})"), 400, bad, invalid, "model"},
        {"a long model", responses(responses_body(std::string(257, 'm'))), 400, bad, invalid, "model"},
        {"stream that is no boolean", responses(R"({"model":"gpt-5","stream":"yes"})"), 400, bad, invalid, "stream"},
        {"chat without messages", chat(body), 400, bad, invalid, "messages"},
        {"model twice", responses(R"({"model":"gpt-5","model":"gpt-6","input":"hi"})"), 400, bad, invalid, "model"},
        {"model twice, once in disguise", responses("{\"model\":\"gpt-5\",\"mod\\u0065l\":\"gpt-6\",\"input\":\"hi\"}"),
         400, bad, invalid, "model"},
        {"stream twice", responses(R"({"model":"gpt-5","stream":true,"stream":false,"input":"hi"})"), 400, bad, invalid,
         "stream"},
    };
    RawClient kept(fixture.gateway.port());
    for (const Row& row : rows) {
        CAPTURE(row.name);
        REQUIRE(kept.send(row.bytes));
        const Answer answer = kept.read_answer();
        CAPTURE(answer.body);
        REQUIRE(answer.whole);
        CHECK(answer.status == row.status);
        CHECK(answer.field("content-type").starts_with("application/json"));
        CHECK(!answer.field("x-request-id").empty());
        CHECK(error_of(answer, "type") == row.type);
        CHECK(error_of(answer, "code") == row.code);
        CHECK(error_of(answer, "param") == row.param);
        CHECK(!error_of(answer, "message").empty());
        CHECK(answer.body.find(kClientKey) == std::string::npos);
        CHECK(answer.body.find(kAdminKey) == std::string::npos);
    }
    CHECK(fixture.upstream.received().empty());
    REQUIRE(kept.send(responses(body)));
    CHECK(kept.read_answer().status == 200);
    CHECK(fixture.upstream.received().size() == 1);
}

TEST_CASE("keys are taken from authorization, x-api-key and api-key") {
    Refusing fixture;
    for (const std::string& line : {"authorization: Bearer " + kClientKey, "Authorization: bearer " + kClientKey,
                                    "x-api-key: " + kClientKey, "api-key: " + kClientKey}) {
        CAPTURE(line);
        const std::string bytes = request("POST", "/v1/responses", line + "\r\n", responses_body("gpt-5"));
        CHECK(ask(fixture.gateway.port(), bytes).status == 200);
        const Received got = fixture.upstream.last();
        CHECK((got.head + got.body).find(kClientKey) == std::string::npos);
        CHECK(got.field("authorization") == "Bearer " + kUpstreamKey + "\n");
    }
}

TEST_CASE("a body over the limit is refused by its announced length, and by its chunks") {
    ScriptedUpstream upstream(json_script(200, "{}"));
    const Gateway gateway(
        {.upstream = "",
         .config = "max_json_bytes = \"100KiB\"\n"
                   "[[provider]]\nname = \"openai\"\n[[provider.version]]\nversion = \"v1\"\nprops = { base_url = \"" +
                   upstream.url() + "\", api_key = \"sk-x\" }\n"});
    const std::string text(200 * 1024, 'x');
    const std::string body = R"({"model":"gpt-5","input":")" + text + "\"}";
    {
        RawClient client(gateway.port());
        client.send(post("/v1/responses", body));
        const Answer answer = client.read_answer();
        CHECK(answer.status == 413);
        CHECK(error_of(answer, "code") == "request_too_large");
    }
    {
        RawClient client(gateway.port());
        client.send("POST /v1/responses HTTP/1.1\r\nhost: x\r\n" + key_line() + "transfer-encoding: chunked\r\n\r\n");
        for (std::size_t at = 0; at < body.size(); at += 16384)
            if (!client.send(chunk(body.substr(at, 16384)))) break;
        const Answer answer = client.read_answer();
        CHECK(answer.status == 413);
        CHECK(answer.field("connection") == "close");
    }
    CHECK(upstream.received().empty());
    CHECK(ask(gateway.port(), post("/v1/responses", responses_body("gpt-5"))).status == 200);
}

TEST_CASE("a client that waits for 100 Continue with a body over the limit is told before it sends") {
    const Gateway gateway({.upstream = "http://127.0.0.1:9", .config = "max_json_bytes = \"100KiB\"\n"});
    RawClient client(gateway.port());
    client.send("POST /v1/responses HTTP/1.1\r\nhost: x\r\n" + key_line() +
                "content-length: 1000000\r\nexpect: 100-continue\r\n\r\n");
    CHECK(client.read_answer().status == 413);
}

TEST_CASE("models are listed and told apart, and health needs no key") {
    const Gateway gateway({.upstream = "", .config = R"(
[[provider]]
name = "openai"
[[provider.version]]
version = "v1"
props = { base_url = "http://127.0.0.1:9", api_key = "sk-x" }
[[route]]
model = "gpt-5"
provider = "llm/openai"
[[route]]
model = "o-*"
provider = "llm/openai"
map = { "o-alias" = "gpt-real" }
)"});
    const std::uint16_t port = gateway.port();
    const Answer list = ask(port, request("GET", "/v1/models", key_line(), ""));
    CHECK(list.status == 200);
    const oai::json::Value models = parse_json(list.body);
    CHECK(text_at(models, "object") == "list");
    CHECK(list.body.find("\"gpt-5\"") != std::string::npos);
    CHECK(list.body.find("\"o-alias\"") != std::string::npos);
    CHECK(list.body.find("gpt-real") == std::string::npos);
    const Answer one = ask(port, request("GET", "/v1/models/gpt-5", key_line(), ""));
    CHECK(one.status == 200);
    CHECK(text_at(parse_json(one.body), "id") == "gpt-5");
    CHECK(ask(port, request("GET", "/v1/models/gpt-6", key_line(), "")).status == 404);
    CHECK(ask(port, request("GET", "/v1/models", "", "")).status == 401);
    CHECK(ask(port, request("GET", "/healthz", "", "")).status == 200);
    CHECK(ask(port, request("GET", "/readyz", "", "")).status == 200);

    const Answer unserved = ask(port, post("/v1/responses", responses_body("claude")));
    CHECK(unserved.status == 404);
    CHECK(error_of(unserved, "param") == "model");
}

TEST_CASE("a gateway without an upstream says 503, and what is missing") {
    const Gateway gateway({.upstream = "", .config = ""});
    const Answer answer = ask(gateway.port(), post("/v1/responses", responses_body("gpt-5")));
    CHECK(answer.status == 503);
    CHECK(error_of(answer, "type") == "server_error");
    CHECK(gateway.process.err().find("no upstream is configured") != std::string::npos);
}

TEST_CASE("the ops API wants the admin key, the right method, and no parameter it does not know") {
    const Gateway gateway({.upstream = "", .config = ""});
    const std::uint16_t port = gateway.port();
    const std::string admin = "x-api-key: " + kAdminKey + "\r\n", path = "/api/v1/admin/ops/dashboard/overview";
    struct Row {
        std::string name;
        std::string bytes;
        int status;
    };
    const Row rows[] = {
        {"no key", request("GET", path, "", ""), 401},
        {"a client's key", request("GET", path, key_line(), ""), 401},
        {"a wrong method", request("POST", path, admin, "{}"), 405},
        {"an unknown path", request("GET", "/api/v1/admin/ops/nothing", admin, ""), 404},
        {"an unknown path without a key", request("GET", "/api/v1/admin/ops/nothing", "", ""), 401},
        {"an unknown parameter", request("GET", path + "?time_rnage=5m", admin, ""), 400},
        {"a wrong range", request("GET", path + "?time_range=5x", admin, ""), 400},
        {"a wrong limit",
         request("PUT", "/api/v1/admin/ops/settings/metric-thresholds", admin, R"({"sla_percent_min":"high"})"), 400},
        {"good", request("GET", path + "?time_range=5m", admin, ""), 200},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const Answer answer = ask(port, row.bytes);
        CAPTURE(answer.body);
        CHECK(answer.status == row.status);
        const oai::json::Value value = parse_json(answer.body);
        CHECK(number_at(value, "code") == (row.status == 200 ? 0 : row.status));
        CHECK(!text_at(value, "message").empty());
    }
    // An idle window has no numbers, not zeros.
    const oai::json::Value idle = gateway.overview();
    for (const char* name :
         {"data.sla_percent", "data.error_rate_percent", "data.ttft.p99_ms", "data.duration.p50_ms"}) {
        CAPTURE(name);
        const oai::json::Value* value = idle.find_path(name);
        REQUIRE(value != nullptr);
        CHECK(value->is_null());
    }
}
