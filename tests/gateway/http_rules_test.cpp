// Rules of HTTP that hold for every answer (docs/http-conformance.md), on raw sockets before a scripted upstream.
#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "core/units.hpp"
#include "gateway/gateway.hpp"
#include "integration/raw_client.hpp"
#include "integration/scripted_upstream.hpp"
#include "json/value.hpp"
#include "upstream/catalog_config.hpp"
#include "wire/failure.hpp"

using namespace oai;
using namespace oai::test;
using namespace std::chrono_literals;

namespace {

const std::string kKey = "authorization: Bearer sk-test-key\r\n";
const std::string kAdmin = "authorization: Bearer admin-key\r\n";
const std::string kDone = R"({"status":"completed","model":"m"})";
const std::string kEvents =
    "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\"}}\n\n";
const std::string kWhole = R"({"model":"m","input":"hi"})";
const std::string kStream = R"({"model":"m","input":"hi","stream":true})";

struct Site {
    explicit Site(Script script, bool passthrough_unknown = false) : upstream(std::move(script)) {
        gateway::Config config;
        config.listen = net::ListenAddress{"127.0.0.1", 0};
        config.workers = 1;
        config.store_url = "memory:";
        config.admin_key = "admin-key";
        config.keys.push_back({"test", "sk-test-key", ""});
        config.passthrough_unknown = passthrough_unknown;
        config.stream.keepalive = 100ms;
        config.timeouts.first_output = 2s;
        config.catalog = *upstream::single_upstream(upstream.url(), "sk-up");
        config.models.upstream = false;  // what the upstream receives is what was asked for
        gateway::FirstKeys made;
        auto started = gateway::Gateway::start(config, made);
        REQUIRE(started);
        gateway = std::move(*started);
    }

    /// The whole answer, as it came.
    std::string bytes_for(const std::string& request) const {
        RawClient client(gateway->port());
        CHECK(client.send(request));
        return client.read_to_end();
    }
    Answer ask(const std::string& request) const { return test::ask(gateway->port(), request); }

    ScriptedUpstream upstream;
    std::unique_ptr<gateway::Gateway> gateway;
};

Script whole(const std::string& fields = {}) {
    return json_script(200, kDone, fields);
}

/// The values of the fields of that name (lower case) in an answer's head.
std::vector<std::string> values_of(const std::string& answer, std::string_view name) {
    std::vector<std::string> values;
    const std::string head = answer.substr(0, answer.find("\r\n\r\n") + 2);
    for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
        const std::size_t end = head.find("\r\n", at);
        const std::string line = head.substr(at, end - at);
        const std::size_t colon = std::min(line.find(": "), line.size());
        if (core::to_lower(line.substr(0, colon)) == name) values.push_back(line.substr(colon + 2));
        at = end + 2;
    }
    return values;
}

}  // namespace

TEST_CASE("every answer has one Date: the upstream's where it sent one, else ours") {
    const std::string theirs = "Sun, 06 Nov 1994 08:49:37 GMT";
    const std::string dated = "Date: " + theirs + "\r\n";
    const std::string bytes = "HTTP/1.1 200 OK\r\ncontent-type: image/png\r\n";
    const auto scripted = [](const std::string& text) { return Script{.bytes = text}; };
    const std::string close = "connection: close\r\n";
    const std::string file = request("GET", "/v1/files/file-1/content", kKey + close, "");
    const std::string head_of_file = request("HEAD", "/v1/files/file-1/content", kKey + close, "");
    const std::string turn = request("POST", "/v1/responses", kKey + close, kWhole);
    const std::string stream = request("POST", "/v1/responses", kKey + close, kStream);
    struct Row {
        const char* name;
        Script script;
        std::string request;
        int status;
        std::string want = {};  ///< empty: the time it is
    };
    const Row rows[] = {
        {"ours, public", whole(), request("GET", "/healthz", close, ""), 200},
        {"ours, public, of a HEAD", whole(), request("HEAD", "/readyz", close, ""), 200},
        {"ours, a list of models", whole(), request("GET", "/v1/models", kKey + close, ""), 200},
        {"ours, administration", whole(),
         request("GET", "/api/v1/admin/ops/settings/metric-thresholds", kAdmin + close, ""), 200},
        {"ours, no key", whole(), request("POST", "/v1/responses", close, kWhole), 401},
        {"ours, no such path", whole(), request("GET", "/nothing", kKey + close, ""), 404},
        {"ours, a head that is none", whole(), "HELLO\r\n\r\n", 400},
        {"ours, no upgrade", whole(), request("GET", "/v1/responses", kKey + close, ""), 426},
        {"ours, for an answer that is none", scripted("nonsense\r\n\r\n"), turn, 502},
        {"ours, for a stream that begins with comments", {.bytes = "", .hang = true}, stream, 200},
        {"whole, without", whole(), turn, 200},
        {"whole, with", whole(dated), turn, 200, theirs},
        {"a refusal, without", json_script(400, R"({"error":{"message":"no"}})"), turn, 400},
        {"a refusal, with", json_script(400, R"({"error":{"message":"no"}})", dated), turn, 400, theirs},
        {"a stream, without", stream_script(kEvents), stream, 200},
        {"a stream, with", stream_script(kEvents, dated), stream, 200, theirs},
        {"bytes, without", scripted(bytes + "content-length: 3\r\n\r\npng"), file, 200},
        {"bytes, with", scripted(bytes + dated + "content-length: 3\r\n\r\npng"), file, 200, theirs},
        {"one that Connection lists", scripted(bytes + dated + "connection: date\r\ncontent-length: 3\r\n\r\npng"),
         file, 200},
        {"HEAD, without", scripted(bytes + "\r\n"), head_of_file, 200},
        {"HEAD, with", scripted(bytes + dated + "\r\n"), head_of_file, 200, theirs},
        {"no content", scripted("HTTP/1.1 204 No Content\r\n\r\n"), file, 204},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.name));
        const Site site(row.script);
        const auto before = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
        const std::string answer = site.bytes_for(row.request);
        const auto after = std::chrono::system_clock::now();
        CAPTURE(answer);
        CHECK(answer.starts_with("HTTP/1.1 " + std::to_string(row.status) + " "));
        const std::vector<std::string> dates = values_of(answer, "date");
        REQUIRE(dates.size() == 1);
        if (!row.want.empty()) {
            CHECK(dates[0] == row.want);
            continue;
        }
        const auto date = wire::parse_http_date(dates[0]);
        REQUIRE(date);
        CHECK(*date >= before - 1s);  // it may be late by a sweep
        CHECK(*date <= after);
    }
}

TEST_CASE("HEAD of what is ours is answered like GET, without the body") {
    const Site site(whole());
    struct Row {
        std::string target;
        std::string key;
        int status;
    };
    const Row rows[] = {
        {"/healthz", "", 200},
        {"/readyz", "", 200},
        {"/v1/models", kKey, 200},
        {"/v1/models/m", kKey, 200},
        {"/models", kKey, 200},
        {"/v1/responses", kKey, 426},
        {"/v1/models", "", 401},
        {"/nothing", kKey, 404},
        {"/v1/messages", kKey, 405},
        {"/api/v1/admin/ops/settings/metric-thresholds", kAdmin, 200},
        {"/api/v1/admin/ops/request-errors", kAdmin, 200},
        {"/api/v1/admin/ops/samples", kAdmin, 405},
    };
    for (const Row& row : rows) {
        CAPTURE(row.target);
        RawClient client(site.gateway->port());
        const std::string get = "GET " + row.target + " HTTP/1.1\r\nhost: x\r\n" + row.key + "\r\n";
        const std::string head = "HEAD " + row.target + " HTTP/1.1\r\nhost: x\r\n" + row.key + "\r\n";
        const Answer full = site.ask(get);
        CHECK(full.status == row.status);
        CHECK_FALSE(full.body.empty());
        CHECK(client.send(head + request("GET", "/healthz", "", "")));
        const Answer bare = client.read_head();
        CHECK(bare.status == row.status);
        CHECK(bare.field("content-type") == full.field("content-type"));
        if (row.status == 200) CHECK(bare.field("content-length") == full.field("content-length"));
        CHECK(bare.field("allow") == full.field("allow"));
        if (row.status == 426) continue;  // it closes
        CHECK(client.read_answer().body == R"({"status":"ok"})");
    }
    CHECK(site.upstream.received().empty());
    CHECK(site.ask(request("PUT", "/healthz", "", "")).field("allow") == "GET, HEAD");
    CHECK(site.ask(request("PUT", "/v1/models", kKey, "")).field("allow") == "GET, HEAD");
    CHECK(site.ask(request("PUT", "/api/v1/admin/ops/explain", kAdmin, "")).field("allow") == "GET, HEAD");
    // What upstreams answer they are asked by the same method.
    CHECK(site.bytes_for("HEAD /v1/files HTTP/1.1\r\nhost: x\r\nconnection: close\r\n" + kKey + "\r\n")
              .starts_with("HTTP/1.1 200 "));
    CHECK(site.upstream.last().head.starts_with("HEAD /v1/files HTTP/1.1\r\n"));
}

TEST_CASE("a target that is too long gets 414, a head that is 431, each with a body, and the connection closes") {
    const Site site(whole());
    const std::string tail = " HTTP/1.1\r\nhost: x\r\n\r\n";
    struct Row {
        std::string bytes;
        int status;
        const char* code;
    };
    const Row rows[] = {
        {"GET /healthz?" + std::string(20'000, 'a') + tail, 200, ""},
        {"GET /healthz?" + std::string(40'000, 'a') + tail, 414, "target_too_long"},
        {"GET /healthz HTTP/1.1\r\nhost: x\r\nx-a: " + std::string(40'000, 'a') + "\r\n\r\n", 431, "head_too_large"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.status);
        RawClient client(site.gateway->port());
        client.send(row.bytes);
        const Answer answer = client.read_answer();
        CHECK(answer.status == row.status);
        if (row.status == 200) continue;
        const auto body = json::Value::parse(answer.body);
        REQUIRE(body);
        CHECK(body->find_path("error.code")->as_string() == row.code);
        CHECK(answer.field("connection") == "close");
        CHECK(client.closed());
    }
}

TEST_CASE("OPTIONS goes as far as its Max-Forwards says") {
    struct Row {
        const char* name;
        std::string request;
        int status;
        const char* allow;
        const char* forwarded;  ///< the upstream's Max-Forwards with its line end; null: it was not asked
    };
    const char* const any = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
    const auto options = [](const std::string& path, const std::string& fields) {
        return "OPTIONS " + path + " HTTP/1.1\r\nhost: x\r\n" + kKey + fields + "\r\n";
    };
    const std::string file = "/v1/files/file-1";
    const Row rows[] = {
        {"no further", options(file, "max-forwards: 0\r\n"), 200, any, nullptr},
        {"no further, in another case", options(file, "MAX-FORWARDS: 00\r\n"), 200, any, nullptr},
        {"where it would be refused", options("/v1/responses", "max-forwards: 0\r\n"), 200, "POST, GET, HEAD", nullptr},
        {"no such path", options("/v1/nothing", "max-forwards: 0\r\n"), 404, "", nullptr},
        {"one further", options(file, "Max-Forwards: 1\r\n"), 200, "", "0\n"},
        {"three further", options(file, "max-forwards: 3\r\n"), 200, "", "2\n"},
        {"as far as it goes", options(file, "max-forwards: 99999999999999999999\r\n"), 200, "", "999999999\n"},
        {"it does not say", options(file, ""), 200, "", ""},
        {"no number", options(file, "max-forwards: -1\r\n"), 400, "", nullptr},
        {"nothing", options(file, "max-forwards:\r\n"), 400, "", nullptr},
        {"two", options(file, "max-forwards: 1\r\nmax-forwards: 0\r\n"), 400, "", nullptr},
        {"of another method it is not ours", request("GET", file, kKey + "max-forwards: 5\r\n", ""), 200, "", "5\n"},
        {"TRACE", "TRACE " + file + " HTTP/1.1\r\nhost: x\r\n" + kKey + "max-forwards: 3\r\n\r\n", 405, "", nullptr},
        {"no key", "OPTIONS " + file + " HTTP/1.1\r\nhost: x\r\nmax-forwards: 0\r\n\r\n", 401, "", nullptr},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.name));
        const Site site(whole());
        const Answer answer = site.ask(row.request);
        CHECK(answer.status == row.status);
        CHECK(answer.field("allow") == row.allow);
        CHECK(answer.whole);
        CHECK(site.upstream.received().size() == (row.forwarded == nullptr ? 0 : 1));
        if (row.forwarded != nullptr) CHECK(site.upstream.last().field("max-forwards") == row.forwarded);
        if (row.forwarded == nullptr && row.status == 200) CHECK(answer.body.empty());
    }
    const Site open(whole(), true);
    CHECK(open.ask(options("/v1/nothing", "max-forwards: 0\r\n")).status == 200);
    CHECK(open.upstream.received().empty());
    CHECK(open.ask(options("/v1/nothing", "max-forwards: 2\r\n")).status == 200);
    CHECK(open.upstream.last().field("max-forwards") == "1\n");
}

TEST_CASE("an upstream that switches protocols unasked gets no more of this connection, and the client a 502") {
    const Script switched{.bytes = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
                          .hang = true};
    struct Row {
        const char* name;
        std::string request;
    };
    const std::string chat = R"({"model":"m","messages":[],"stream":true})";
    const std::string form =
        "--b\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nx\r\n--b\r\ncontent-disposition: form-data; "
        "name=\"file\"; filename=\"f\"\r\n\r\ny\r\n--b--\r\n";
    const Row rows[] = {
        {"whole", request("POST", "/v1/responses", kKey, kWhole)},
        {"stream", request("POST", "/v1/responses", kKey, kStream)},
        {"chat", request("POST", "/v1/chat/completions", kKey, chat)},
        {"bytes", request("GET", "/v1/files/file-1/content", kKey, "")},
        {"a form", request("POST", "/v1/files", kKey + "content-type: multipart/form-data; boundary=b\r\n", form)},
        {"one who asked, for what is no WebSocket here",
         request("POST", "/v1/responses", kKey + "connection: upgrade\r\nupgrade: h2c\r\n", kWhole)},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.name));
        const Site site(switched);
        const Answer answer = site.ask(row.request);
        CHECK(answer.status == 502);
        CHECK(answer.whole);
        CHECK(answer.body.find("the upstream switched protocols unasked") != std::string::npos);
        CHECK(answer.field("upgrade").empty());
        CHECK(site.upstream.saw_peers_leave(1));
    }
    const Site site(switched);
    CHECK(site.bytes_for("HEAD /v1/files/file-1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n" + kKey + "\r\n")
              .starts_with("HTTP/1.1 502 "));
}

TEST_CASE("an answer without a body says of it what the upstream said, and the connection lives on") {
    struct Row {
        const char* name;
        const char* method;
        std::string head;  ///< of the upstream's answer
        int status;
        const char* length;
    };
    const Row rows[] = {
        {"HEAD without a length", "HEAD", "200 OK\r\ncontent-type: image/png\r\n", 200, ""},
        {"HEAD with one", "HEAD", "200 OK\r\ncontent-length: 1234\r\n", 200, "1234"},
        {"HEAD of nothing", "HEAD", "200 OK\r\ncontent-length: 0\r\n", 200, "0"},
        {"HEAD of what comes in chunks", "HEAD", "200 OK\r\ntransfer-encoding: chunked\r\n", 200, ""},
        {"no content", "DELETE", "204 No Content\r\n", 204, ""},
        {"no content, and a length of it", "DELETE", "204 No Content\r\ncontent-length: 0\r\n", 204, ""},
        {"not modified", "GET", "304 Not Modified\r\netag: \"x\"\r\n", 304, ""},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.name));
        const Site site({.bytes = "HTTP/1.1 " + row.head + "\r\n", .close = false});
        RawClient client(site.gateway->port());
        const std::string line = std::string(row.method) + " /v1/files/file-1 HTTP/1.1\r\nhost: x\r\n";
        for (int i = 0; i < 2; ++i) {
            CHECK(client.send(line + kKey + "\r\n"));
            const Answer answer = client.read_head();
            CHECK(answer.status == row.status);
            CHECK(answer.field("content-length") == row.length);
            CHECK(answer.field("transfer-encoding").empty());
            CHECK(answer.field("connection").empty());
        }
        CHECK(site.upstream.last().connection == 1);
    }
}
