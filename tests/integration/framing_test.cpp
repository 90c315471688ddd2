// HTTP on real sockets: what is refused, and what is served in every shape it may have.

#include <thread>

#include <doctest/doctest.h>

#include "integration/scripted_upstream.hpp"
#include "integration/system.hpp"

using namespace oai::test;
using namespace std::chrono_literals;

namespace {

struct Echo {
    Mock mock;
    Gateway gateway{mock};
};

}  // namespace

TEST_CASE("requests that two servers could read in two ways get 400 with a body, and the connection closes") {
    Echo fixture;
    const std::string start = "POST /v1/responses HTTP/1.1\r\nhost: x\r\n" + key_line();
    const std::string body = responses_body("gpt-5");
    const std::string length = "content-length: " + std::to_string(body.size()) + "\r\n";
    // Whoever gets this far behind a refused request has been smuggled in.
    const std::string smuggled = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    struct Row {
        std::string name;
        std::string bytes;
    };
    const Row rows[] = {
        {"both lengths", start + length + "transfer-encoding: chunked\r\n\r\n0\r\n\r\n"},
        {"both lengths, the other way round", start + "transfer-encoding: chunked\r\n" + length + "\r\n0\r\n\r\n"},
        {"two lengths", start + length + "content-length: 0\r\n\r\n" + body},
        {"the same length twice", start + length + length + "\r\n" + body},
        {"a list of lengths", start + "content-length: 5, 5\r\n\r\n" + body},
        {"a signed length", start + "content-length: +5\r\n\r\n" + body},
        {"a hexadecimal length", start + "content-length: 0x10\r\n\r\n" + body},
        {"an endless length", start + "content-length: 99999999999999999999\r\n\r\n" + body},
        {"a coding that is not chunked", start + "transfer-encoding: gzip\r\n\r\n" + body},
        {"chunked twice", start + "transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n"},
        {"chunked in disguise", start + "transfer-encoding: xchunked\r\n\r\n0\r\n\r\n"},
        {"a bare line feed", start + "x-a: b\nx-c: d\r\n" + length + "\r\n" + body},
        {"line feeds only", "POST /v1/responses HTTP/1.1\nhost: x\ncontent-length: 0\n\n"},
        {"a bare carriage return", start + "x-a: b\rx-c: d\r\n" + length + "\r\n" + body},
        {"a folded line", start + "x-a: b\r\n c\r\n" + length + "\r\n" + body},
        {"a line without a colon", start + "nothing\r\n" + length + "\r\n" + body},
        {"a blank before the colon", start + "content-length : 5\r\n\r\n" + body},
        {"a NUL", start + std::string("x-a: b\0c\r\n", 10) + length + "\r\n" + body},
        {"no host", "POST /v1/responses HTTP/1.1\r\n" + length + "\r\n" + body},
        {"two hosts", start + "host: y\r\n" + length + "\r\n" + body},
        {"another protocol", "HELLO\r\n\r\n"},
        {"another version", "GET /healthz HTTP/2.0\r\nhost: x\r\n\r\n"},
        {"TLS", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15)},
        {"a chunk size that is none", start + "transfer-encoding: chunked\r\n\r\nzz\r\n\r\n"},
        {"a chunk that is longer than it says", start + "transfer-encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n"},
        {"a chunk line with a bare line feed", start + "transfer-encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n"},
        {"a chunk size without end", start + "transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        RawClient client(fixture.gateway.port());
        REQUIRE(client.send(row.bytes + smuggled));
        const Answer answer = client.read_answer();
        CAPTURE(answer.body);
        CHECK(answer.status == 400);
        CHECK(answer.field("connection") == "close");
        CHECK(error_of(answer, "type") == "invalid_request_error");
        CHECK(!error_of(answer, "message").empty());
        CHECK(client.closed());
    }
    RawClient large(fixture.gateway.port());
    large.send("GET /healthz HTTP/1.1\r\nhost: x\r\nx-a: " + std::string(40'000, 'a') + "\r\n\r\n");
    const Answer answer = large.read_answer();
    CHECK(answer.status == 431);
    CHECK(large.closed());
    CHECK(ask(fixture.gateway.port(), post("/v1/responses", body)).status == 200);
}

TEST_CASE("pipelined requests are answered in their order, streams among them") {
    Echo fixture;
    RawClient client(fixture.gateway.port());
    CHECK(client.send(
        post("/v1/responses", responses_body("model-1")) + request("GET", "/v1/models/model-2", key_line(), "") +
        post("/v1/responses", responses_body("model-3", true)) + request("GET", "/nothing", key_line(), "") +
        post("/v1/chat/completions", chat_body("model-5")) + request("GET", "/healthz", "", "")));
    const auto expect = [&](int status, const std::string& text) {
        const Answer answer = client.read_answer();
        CAPTURE(text);
        CHECK(answer.whole);
        CHECK(answer.status == status);
        CHECK(answer.body.find(text) != std::string::npos);
    };
    expect(200, "\"model-1\"");
    expect(200, "\"model-2\"");
    expect(200, "\"model-3\"");
    expect(404, "/nothing");
    expect(200, "\"model-5\"");
    expect(200, "ok");
}

TEST_CASE("a connection serves a hundred requests, and more") {
    Echo fixture;
    RawClient client(fixture.gateway.port());
    for (int i = 0; i < 120; ++i) {
        CAPTURE(i);
        const bool stream = i % 3 == 0;
        REQUIRE(client.send(post("/v1/responses", responses_body("gpt-5", stream))));
        const Answer answer = client.read_answer();
        REQUIRE(answer.whole);
        REQUIRE(answer.status == 200);
        REQUIRE(answer.field("connection").empty());
    }
}

TEST_CASE("bodies in chunks, after 100 Continue, byte by byte, and of HTTP/1.0 are served alike") {
    ScriptedUpstream upstream(json_script(200, R"({"status":"completed","model":"gpt-5"})"));
    const Gateway gateway({.upstream = upstream.url(), .config = {}});
    const std::string body = responses_body("gpt-5");
    const std::string start = "POST /v1/responses HTTP/1.1\r\nhost: x\r\n" + key_line();
    const auto upstream_got_it = [&] {
        const Received got = upstream.last();
        CHECK(got.body == body);
        CHECK(got.field("content-length") == std::to_string(body.size()) + "\n");
        CHECK(got.field("transfer-encoding").empty());
        CHECK(got.field("expect").empty());
    };
    {
        RawClient client(gateway.port());
        std::string chunked = start + "transfer-encoding: chunked\r\n\r\n";
        for (const char c : body) chunked += chunk(std::string(1, c));
        CHECK(client.send(chunked + "0\r\nx-trailer: y\r\n\r\n" + request("GET", "/healthz", "", "")));
        CHECK(client.read_answer().status == 200);
        CHECK(client.read_answer().body == R"({"status":"ok"})");
        upstream_got_it();
    }
    {
        RawClient client(gateway.port());
        CHECK(
            client.send(start + "content-length: " + std::to_string(body.size()) + "\r\nexpect: 100-continue\r\n\r\n"));
        CHECK(client.read_answer().status == 100);
        CHECK(client.send(body));
        CHECK(client.read_answer().status == 200);
        upstream_got_it();
    }
    {
        RawClient client(gateway.port());
        for (const char c : post("/v1/responses", body)) REQUIRE(client.send(std::string_view(&c, 1)));
        CHECK(client.read_answer().status == 200);
        upstream_got_it();
    }
    {
        RawClient client(gateway.port());
        CHECK(client.send("POST /v1/responses HTTP/1.0\r\n" + key_line() +
                          "content-length: " + std::to_string(body.size()) + "\r\n\r\n" + body));
        const Answer answer = client.read_answer();
        CHECK(answer.status == 200);
        CHECK(answer.whole);
        CHECK(client.closed());
        upstream_got_it();
    }
    {
        // HTTP/1.0 that asks for it keeps its connection.
        RawClient client(gateway.port());
        const std::string kept = "POST /v1/responses HTTP/1.0\r\n" + key_line() +
                                 "connection: keep-alive\r\ncontent-length: " + std::to_string(body.size()) +
                                 "\r\n\r\n" + body;
        for (int i = 0; i < 2; ++i) {
            CHECK(client.send(kept));
            const Answer answer = client.read_answer();
            CHECK(answer.status == 200);
            CHECK(answer.field("connection") == "keep-alive");
        }
    }
    {
        RawClient client(gateway.port());
        CHECK(client.send(post("/v1/responses", body, "connection: close\r\n")));
        CHECK(client.read_answer().field("connection") == "close");
        CHECK(client.closed());
    }
}

TEST_CASE("a stream for HTTP/1.0 has no chunks and ends with the connection") {
    Echo fixture;
    RawClient client(fixture.gateway.port());
    const std::string body = responses_body("gpt-5", true);
    CHECK(client.send("POST /v1/responses HTTP/1.0\r\n" + key_line() +
                      "content-length: " + std::to_string(body.size()) + "\r\n\r\n" + body));
    const Answer answer = client.read_answer();
    CHECK(answer.status == 200);
    CHECK(answer.field("transfer-encoding").empty());
    CHECK(answer.whole);
    CHECK(answer.body.starts_with("event: response.created\n"));
    CHECK(answer.body.find("event: response.completed\n") != std::string::npos);
    CHECK(answer.body.ends_with("\n\n"));
}

TEST_CASE("the answer to a HEAD has no body: what follows is the next answer") {
    Echo fixture;
    for (const std::string path :
         {"/healthz", "/v1/models", "/v1/chat/completions", "/nothing", "/api/v1/admin/ops/nothing"}) {
        CAPTURE(path);
        RawClient client(fixture.gateway.port());
        CHECK(client.send("HEAD " + path + " HTTP/1.1\r\nhost: x\r\n" + key_line() + "\r\n" +
                          request("GET", "/healthz", "", "")));
        const std::string head = client.read_until("\r\n\r\n");
        REQUIRE(head.starts_with("HTTP/1.1 "));
        client.read_head();
        CHECK(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
    }
}

TEST_CASE("JSON as deep as it may come, and text that is none, harm nobody") {
    Echo fixture;
    const std::uint16_t port = fixture.gateway.port();
    const std::string deep(100'000, '[');
    CHECK(ask(port, post("/v1/responses", R"({"model":"m","input":)" + deep + std::string(deep.size(), ']') + "}"))
              .status >= 200);
    CHECK(ask(port, post("/v1/responses", R"({"model":"m","input":)" + deep)).status == 400);
    CHECK(ask(port, post("/v1/responses", "{\"model\":\"\xff\xfe\",\"input\":1}")).status == 400);
    CHECK(ask(port, post("/v1/responses", std::string("{\"model\":\"m\0\"}", 14))).status == 400);
    CHECK(ask(port, post("/v1/responses", responses_body("gpt-5"))).status == 200);
}

TEST_CASE("a client that leaves in the middle of its request is no failure of the service") {
    Echo fixture;
    {
        RawClient head(fixture.gateway.port()), body(fixture.gateway.port());
        head.send("POST /v1/resp");
        body.send("POST /v1/responses HTTP/1.1\r\nhost: x\r\n" + key_line() + "content-length: 100\r\n\r\n{\"model\"");
        std::this_thread::sleep_for(20ms);
    }
    CHECK(ask(fixture.gateway.port(), post("/v1/responses", responses_body("gpt-5"))).status == 200);
    const oai::json::Value overview = fixture.gateway.overview();
    CHECK(number_at(overview, "data.error_count_sla") == 0);
    CHECK(number_at(overview, "data.request_count_sla") == 1);
}
