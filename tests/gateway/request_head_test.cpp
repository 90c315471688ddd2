#include "gateway/request_head.hpp"

#include <doctest/doctest.h>

using namespace oai;
using namespace oai::gateway;

TEST_CASE("the upstream gets the client's own fields, less what belongs to the hop, with the account's credential") {
    const std::string text =
        "POST /v1/responses?a=b HTTP/1.1\r\n"
        "Host: gateway\r\n"
        "Authorization: Bearer sk-client\r\n"
        "x-api-key: sk-client\r\n"
        "api-key: sk-client\r\n"
        "Cookie: session=1\r\n"
        "Connection: keep-alive, X-Hop\r\n"
        "X-Hop: secret\r\n"
        "Keep-Alive: timeout=5\r\n"
        "Accept-Encoding: gzip\r\n"
        "Content-Length: 3\r\n"
        "Expect: 100-continue\r\n"
        "User-Agent: codex_cli_rs/0.1.0\r\n"
        "OpenAI-Beta: responses=v1\r\n"
        "Idempotency-Key: k\r\n"
        "traceparent: 00-1-2-01\r\n\r\n";
    http::HeadReader reader;
    http::RequestHead head;
    REQUIRE(reader.read_request(text, head) == http::HeadStatus::complete);
    upstream::Account account{.name = "a",
                              .target = http::Target(*http::parse_url("http://up.example:8080/base")),
                              .authorization = "Bearer sk-account"};
    std::string out = "left over";
    write_request_head(out, head, account, 42);
    CHECK(out ==
          "POST /base/v1/responses?a=b HTTP/1.1\r\n"
          "host: up.example:8080\r\n"
          "User-Agent: codex_cli_rs/0.1.0\r\n"
          "OpenAI-Beta: responses=v1\r\n"
          "Idempotency-Key: k\r\n"
          "traceparent: 00-1-2-01\r\n"
          "authorization: Bearer sk-account\r\n"
          "accept-encoding: identity\r\n"
          "content-length: 42\r\n\r\n");
}
