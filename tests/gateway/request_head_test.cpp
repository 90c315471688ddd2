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
        "OpenAI-Beta:responses=v1\t\r\n"
        "X-Api-Key: sk-client\r\n"
        "Idempotency-Key: k\r\n"
        "traceparent: 00-1-2-01\r\n\r\n";
    http::HeadReader reader;
    http::RequestHead head;
    REQUIRE(reader.read_request(text, head) == http::HeadStatus::complete);
    upstream::Account account{.name = "a",
                              .target = http::Target(*http::parse_url("http://up.example:8080/base")),
                              .credential = "authorization: Bearer sk-account\r\n"};
    std::string out = "left over";
    write_request_head(out, {.client = head,
                             .account = account,
                             .credential = account.credential,
                             .rest_path = "/responses",
                             .model = "m",
                             .body_bytes = 42});
    CHECK(out ==
          "POST /base/v1/responses?a=b HTTP/1.1\r\n"
          "host: up.example:8080\r\n"
          "User-Agent: codex_cli_rs/0.1.0\r\n"
          "OpenAI-Beta:responses=v1\t\r\n"  // as it came
          "Idempotency-Key: k\r\n"
          "traceparent: 00-1-2-01\r\n"
          "authorization: Bearer sk-account\r\n"
          "accept-encoding: identity\r\n"
          "content-length: 42\r\n\r\n");
}

TEST_CASE("each kind of account has its way of naming an endpoint") {
    const std::string text = "POST /ignored?api-version=client&limit=3 HTTP/1.1\r\nhost: g\r\n\r\n";
    http::HeadReader reader;
    http::RequestHead head;
    REQUIRE(reader.read_request(text, head) == http::HeadStatus::complete);
    using upstream::AccountType;
    struct Row {
        const char* name;
        AccountType type;
        const char* api_version;
        const char* rest;
        bool azure_style;
        const char* want;
    };
    const Row rows[] = {
        {"openai", AccountType::openai, "", "/files", false, "/v1/files?api-version=client&limit=3"},
        {"a client of Azure at OpenAI", AccountType::openai, "", "/chat/completions", true,
         "/v1/chat/completions?limit=3"},
        {"azure by deployment", AccountType::azure, "2024-10-21", "/chat/completions", true,
         "/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21&limit=3"},
        {"azure beside the deployments", AccountType::azure, "2025-03-01", "/responses", false,
         "/openai/responses?api-version=2025-03-01&limit=3"},
        {"azure without versions", AccountType::azure, "", "/responses", true, "/openai/v1/responses?limit=3"},
        {"anthropic", AccountType::anthropic, "", "/messages", false, "/v1/messages?api-version=client&limit=3"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const upstream::Account account{.name = "a",
                                        .type = row.type,
                                        .target = http::Target(*http::parse_url("http://up.example")),
                                        .deployments = {{"gpt-5", "my-gpt"}},
                                        .api_version = row.api_version};
        std::string out;
        append_target(out, {.client = head,
                            .account = account,
                            .credential = {},
                            .rest_path = row.rest,
                            .model = "gpt-5",
                            .azure_style = row.azure_style});
        CHECK(out == row.want);
    }
}
