#include "http/websocket_handshake.hpp"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

using namespace oai;
using namespace oai::http;
using namespace std::literals;

namespace {

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455, 1.3

RequestHead parsed(std::string_view text) {
    HeadReader reader;
    RequestHead head;
    REQUIRE(reader.read_request(text, head) == HeadStatus::complete);
    return head;
}

ResponseHead parsed_answer(std::string_view text) {
    HeadReader reader;
    ResponseHead head;
    REQUIRE(reader.read_response(text, "GET", head) == HeadStatus::complete);
    return head;
}

}  // namespace

TEST_CASE("the accept value is the one of RFC 6455, 1.3") {
    CHECK(websocket_accept(kKey) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("a request for a WebSocket is known, and one that is not quite one is told why") {
    struct Row {
        const char* name;
        std::string_view request;
        int status;  ///< 0: it is one
    };
    const Row rows[] = {
        {"the least",
         "GET /v1/responses HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         0},
        {"what a browser sends",
         "GET / HTTP/1.1\r\nhost: h\r\nconnection: keep-alive, upgrade\r\nupgrade: WebSocket\r\n"
         "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\ncontent-length: 0\r\n\r\n",
         0},
        {"a plain request", "GET / HTTP/1.1\r\nhost: h\r\n\r\n", 426},
        {"another protocol", "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n", 426},
        {"HTTP/1.0",
         "GET / HTTP/1.0\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
         "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         426},
        {"upgrade not in Connection",
         "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
         "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         426},
        {"POST",
         "POST / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
         "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         400},
        {"a body",
         "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
         "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\ncontent-length: 1\r\n\r\n",
         400},
        {"a chunked body",
         "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
         "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\ntransfer-encoding: chunked\r\n\r\n",
         400},
        {"an old version",
         "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 8\r\n"
         "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         426},
        {"no version",
         "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
         "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         426},
        {"no key",
         "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\r\n",
         400},
        {"two keys",
         "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
         "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         400},
        {"a key of 15 bytes",
         "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
         "sec-websocket-key: dGhlIHNhbXBsZSBub25j\r\n\r\n",
         400},
        {"a key that is not base64",
         "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
         "sec-websocket-key: dGhlIHNhbXBsZSBub25j_Q==\r\n\r\n",
         400},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const std::optional<UpgradeRefusal> got = refuse_websocket(parsed(row.request));
        CHECK((got ? got->status : 0) == row.status);
    }
}

TEST_CASE("both sides of the handshake understand each other") {
    const std::string key = new_websocket_key();
    CHECK(key.size() == 24);
    CHECK(key != new_websocket_key());
    const WebSocketRequest request{.authority = "api.example.com:8443",
                                   .target = "/v1/responses?x=1",
                                   .protocols = "realtime, other",
                                   .more_fields = "authorization: Bearer k\r\n",
                                   .deflate = Deflate{{false, 15}, {true, 15}}};
    std::string sent;
    write_websocket_request(sent, request, key);
    const RequestHead head = parsed(sent);
    CHECK_FALSE(refuse_websocket(head));
    CHECK(head.host == "api.example.com:8443");
    CHECK(head.target == "/v1/responses?x=1");
    CHECK(head.fields.value("authorization") == "Bearer k");
    CHECK(head.fields.value("sec-websocket-protocol") == "realtime, other");
    const std::optional<AcceptedDeflate> accepted = accept_deflate(head.fields, Deflate{});
    REQUIRE(accepted);
    std::string answer;
    write_websocket_answer(answer, head.fields.value("sec-websocket-key"), accepted->answer,
                           "x-request-id: 7\r\nsec-websocket-protocol: realtime\r\n");
    const ResponseHead answered = parsed_answer(answer);
    CHECK(answered.status == 101);
    CHECK(answered.fields.value("x-request-id") == "7");
    const auto agreed = check_websocket_answer(answered, request, key);
    REQUIRE(agreed);
    REQUIRE(*agreed);
    CHECK_FALSE((*agreed)->client.context_takeover);
    CHECK((*agreed)->server.context_takeover);
    // Without an extension the line is not there.
    answer.clear();
    write_websocket_answer(answer, key, "");
    CHECK(answer.find("extensions") == std::string::npos);
}

TEST_CASE("an answer that is not the one to our request is refused") {
    struct Row {
        const char* name;
        std::string_view fields;
        bool good;
    };
    constexpr std::string_view accept = "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    constexpr std::string_view upgrade = "connection: upgrade\r\nupgrade: websocket\r\n";
    const std::string both = std::string(upgrade).append(accept);
    const std::string twice = both + std::string(accept);
    const std::string extension = both + "sec-websocket-extensions: permessage-deflate\r\n";
    const std::string protocol = both + "sec-websocket-protocol: realtime\r\n";
    const std::string other = std::string(upgrade) + "sec-websocket-accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    const std::string h2c = "connection: upgrade\r\nupgrade: h2c\r\n" + std::string(accept);
    const std::string unlisted = "upgrade: websocket\r\n" + std::string(accept);
    const Row rows[] = {
        {"good", both, true},
        {"no accept", upgrade, false},
        {"accept twice", twice, false},
        {"the accept of another key", other, false},
        {"another protocol", h2c, false},
        {"upgrade not listed", unlisted, false},
        {"an extension that nobody offered", extension, false},
        {"a subprotocol that nobody offered", protocol, false},
    };
    const WebSocketRequest request{.authority = "h", .target = "/"};
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const std::string text = "HTTP/1.1 101 Switching Protocols\r\n" + std::string(row.fields) + "\r\n";
        const auto got = check_websocket_answer(parsed_answer(text), request, kKey);
        CHECK(got.has_value() == row.good);
        if (!got) CHECK(got.error().code == core::Code::upstream_malformed);
    }
}
