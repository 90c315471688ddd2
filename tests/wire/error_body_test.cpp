#include "wire/error_body.hpp"

#include <doctest/doctest.h>

#include "json/value.hpp"

using namespace oai;
using namespace oai::wire;

TEST_CASE("an error body is OpenAI's shape, whatever the message holds") {
    const core::Error error{
        .code = core::Code::invalid_request, .detail = "model \"a\nb\" is unknown", .param = "model"};
    const auto body = json::Value::parse(error_body(error));
    REQUIRE(body);
    CHECK(body->find_path("error.message")->as_string() == "model \"a\nb\" is unknown");
    CHECK(body->find_path("error.type")->as_string() == "invalid_request_error");
    CHECK(body->find_path("error.param")->as_string() == "model");
    CHECK(body->find_path("error.code")->as_string() == "invalid_request");
    const auto limited = json::Value::parse(error_body(core::Error{.code = core::Code::rate_limited}));
    CHECK(limited->find_path("error.param")->is_null());
}

TEST_CASE("every code has the status its contract says") {
    struct Row {
        core::Code code;
        int status;
    };
    const Row rows[] = {
        {core::Code::invalid_request, 400},   {core::Code::malformed_http, 400},
        {core::Code::unauthorized, 401},      {core::Code::forbidden, 403},
        {core::Code::not_found, 404},         {core::Code::method_not_allowed, 405},
        {core::Code::payload_too_large, 413}, {core::Code::rate_limited, 429},
        {core::Code::head_too_large, 431},    {core::Code::target_too_long, 414},
        {core::Code::internal, 500},          {core::Code::connect_failed, 502},
        {core::Code::tls_failed, 502},        {core::Code::upstream_truncated, 502},
        {core::Code::unavailable, 503},       {core::Code::upstream_timeout, 504},
    };
    for (const Row& row : rows) CHECK(face_of(row.code).status == row.status);
}

TEST_CASE("an error event has one line of data, in the words of its endpoint") {
    const core::Error error{.code = core::Code::upstream_truncated, .detail = "cut\nhere"};
    const std::string responses = error_event(error, Terminal::responses);
    CHECK(responses.starts_with("event: error\ndata: {\"type\":\"error\",\"code\":\"upstream_truncated\""));
    CHECK(responses.ends_with("}\n\n"));
    CHECK(responses.find("[DONE]") == std::string::npos);
    const std::string chat = error_event(error, Terminal::chat);
    CHECK(chat.starts_with("event: error\ndata: {\"error\":{\"message\":\"cut\\nhere\""));
}
