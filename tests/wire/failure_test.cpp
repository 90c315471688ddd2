#include "wire/failure.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace oai;
using namespace oai::wire;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

const std::chrono::system_clock::time_point kNow = *parse_rfc3339("2026-11-21T12:00:00Z");

std::optional<milliseconds> rest(const std::vector<http::Field>& list) {
    http::Fields fields;
    for (const http::Field& field : list) fields.push_back(field);
    return rest_of(fields, kNow);
}

}  // namespace

TEST_CASE("a status says whose fault it is") {
    struct Row {
        int status;
        Refusal want;
    };
    const Row rows[] = {
        {200, Refusal::none},       {204, Refusal::none},       {400, Refusal::request},    {401, Refusal::credential},
        {402, Refusal::credential}, {403, Refusal::credential}, {404, Refusal::request},    {408, Refusal::conflict},
        {409, Refusal::conflict},   {413, Refusal::request},    {429, Refusal::throttled},  {500, Refusal::server},
        {502, Refusal::server},     {503, Refusal::overloaded}, {529, Refusal::overloaded}, {599, Refusal::server},
    };
    for (const Row& row : rows) {
        CAPTURE(row.status);
        CHECK(refusal_of_status(row.status) == row.want);
    }
}

TEST_CASE("an error inside a 200 says it by code, then type, then words") {
    struct Row {
        const char* error;
        Refusal want;
    };
    const Row rows[] = {
        {R"({"code":"rate_limit_exceeded","message":"x"})", Refusal::throttled},
        {R"({"type":"invalid_request_error","code":"rate_limit_exceeded"})", Refusal::throttled},
        {R"({"code":"insufficient_quota"})", Refusal::throttled},
        {R"({"code":"server_error","message":"x"})", Refusal::server},
        {R"({"code":"server_is_overloaded"})", Refusal::overloaded},
        {R"({"type":"overloaded_error","message":"Overloaded"})", Refusal::overloaded},
        {R"({"code":"invalid_api_key"})", Refusal::credential},
        {R"({"type":"authentication_error"})", Refusal::credential},
        {R"({"code":"context_length_exceeded"})", Refusal::request},
        {R"({"type":"invalid_request_error","code":null})", Refusal::request},
        {R"({"code":"previous_response_not_found"})", Refusal::request},
        {R"({"code":"content_policy_violation"})", Refusal::request},
        {R"({"type":"error","error":{"type":"overloaded_error"}})", Refusal::overloaded},
        {R"({"type":"response.failed","response":{"error":{"code":"server_error"}}})", Refusal::server},
        {R"({"message":"The model is currently at capacity"})", Refusal::overloaded},
        {R"({"message":"something new"})", Refusal::server},
        {"", Refusal::server},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.error));
        CHECK(refusal_in(row.error) == row.want);
    }
}

TEST_CASE("how long an account should rest: every form, and only windows that are used up") {
    struct Row {
        const char* name;
        std::vector<http::Field> fields;
        std::optional<milliseconds> want;
    };
    const Row rows[] = {
        {"nothing", {}, std::nullopt},
        {"seconds", {{"Retry-After", "17"}}, 17s},
        {"a fraction", {{"retry-after", "1.5"}}, 1500ms},
        {"zero", {{"retry-after", "0"}}, 0ms},
        {"a date", {{"retry-after", "Sat, 21 Nov 2026 12:00:30 GMT"}}, 30s},
        {"a date that is over", {{"retry-after", "Sat, 21 Nov 2026 11:00:00 GMT"}}, 0ms},
        {"milliseconds win", {{"retry-after", "17"}, {"retry-after-ms", "250"}}, 250ms},
        {"garbage", {{"retry-after", "soon"}}, std::nullopt},
        {"negative", {{"retry-after", "-3"}}, std::nullopt},
        {"a year is a mistake", {{"retry-after", "31536000"}}, std::nullopt},
        {"requests used up", {{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "6m0s"}}, 360s},
        {"requests left: a reset is no rest",
         {{"x-ratelimit-remaining-requests", "9"}, {"x-ratelimit-reset-requests", "6m0s"}},
         std::nullopt},
        {"the longer of two windows",
         {{"x-ratelimit-remaining-requests", "0"},
          {"x-ratelimit-reset-requests", "1s"},
          {"x-ratelimit-remaining-tokens", "0"},
          {"x-ratelimit-reset-tokens", "120ms"}},
         1s},
        {"Anthropic's",
         {{"anthropic-ratelimit-tokens-remaining", "0"}, {"anthropic-ratelimit-tokens-reset", "2026-11-21T12:01:00Z"}},
         60s},
        {"Codex, used up",
         {{"x-codex-primary-used-percent", "100.0"}, {"x-codex-primary-reset-after-seconds", "3600"}},
         3600s},
        {"Codex, a burst: hours of reset are no rest",
         {{"x-codex-primary-used-percent", "41"},
          {"x-codex-primary-reset-after-seconds", "3600"},
          {"x-codex-secondary-used-percent", "7"},
          {"x-codex-secondary-reset-after-seconds", "500000"}},
         std::nullopt},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.name));
        CHECK(rest(row.fields) == row.want);
    }
}

TEST_CASE("times in all their spellings, and nothing else") {
    CHECK(parse_reset("6m0s") == 360s);
    CHECK(parse_reset("1s") == 1s);
    CHECK(parse_reset("120ms") == 120ms);
    CHECK(parse_reset("1h2m3.5s") == 3723500ms);
    CHECK(parse_reset("1d") == 86400s);
    for (const char* wrong : {"", "5", "s", "5 s", "5x", "-1s", "1m-2s", "..s"}) {
        CAPTURE(std::string(wrong));
        CHECK_FALSE(parse_reset(wrong));
    }
    CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == parse_rfc3339("1994-11-06T08:49:37Z"));
    for (const char* wrong : {"Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
                              "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT", ""}) {
        CAPTURE(std::string(wrong));
        CHECK_FALSE(parse_http_date(wrong));
    }
    CHECK(parse_rfc3339("2026-11-21T14:00:00+02:00") == kNow);
    CHECK(parse_rfc3339("2026-11-21T12:00:00.250Z") == kNow + 250ms);
    for (const char* wrong :
         {"2026-11-21", "2026-11-21T12:00:00", "2026-13-21T12:00:00Z", "2026-11-21T12:00:00+2:00"}) {
        CAPTURE(std::string(wrong));
        CHECK_FALSE(parse_rfc3339(wrong));
    }
}

TEST_CASE("the body of a refusal says when to come back, where the head does not") {
    struct Row {
        const char* body;
        std::optional<milliseconds> want;
    };
    const Row rows[] = {
        {R"({"error":{"type":"usage_limit_reached","resets_in_seconds":90}})", 90s},
        {R"({"error":{"type":"usage_limit_reached","resets_at":1795262460,"resets_in_seconds":1.5}})", 1500ms},
        {R"({"error":{"type":"usage_limit_reached","resets_at":1795262460}})", 60s},
        {R"({"error":{"resets_at":"2026-11-21T12:00:30Z"}})", 30s},
        {R"([{"error":{"code":429,"details":[{"@type":"RetryInfo","retryDelay":"34.5s"}]}}])", 34500ms},
        // What is over, too long, or no time says nothing.
        {R"({"error":{"resets_at":1795262399}})", std::nullopt},
        {R"({"error":{"resets_in_seconds":0}})", std::nullopt},
        {R"({"error":{"resets_in_seconds":-5}})", std::nullopt},
        {R"({"error":{"resets_in_seconds":99999999}})", std::nullopt},
        {R"({"error":{"resets_at":1795262460000}})", std::nullopt},
        {R"({"error":{"resets_at":9223372036854775807}})", std::nullopt},
        {R"({"error":{"resets_in_seconds":"soon"}})", std::nullopt},
        {R"({"error":"usage_limit_reached","resets_in_seconds":90})", std::nullopt},
        {R"({"error":{"message":"slow down"}})", std::nullopt},
        {"busy", std::nullopt},
        {"", std::nullopt},
    };
    json::Scanner scanner;
    for (const Row& row : rows) {
        CAPTURE(row.body);
        CHECK(rest_in(scanner.copy(row.body), kNow, scanner) == row.want);
    }
    const std::string large = R"({"pad":")" + std::string(70'000, 'x') + R"(","error":{"resets_in_seconds":90}})";
    CHECK_FALSE(rest_in(scanner.copy(large), kNow, scanner));
}
