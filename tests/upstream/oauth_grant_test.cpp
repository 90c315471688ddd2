#include "upstream/oauth_grant.hpp"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

using namespace oai;
using namespace oai::upstream;
using namespace std::chrono_literals;
using core::Code;
using core::Result;
using core::WallTime;

namespace {

const WallTime kNow(1'700'000'000s + 1'234'567'890ns);
const WallTime kNowUs(1'700'000'000s + 1'234'567us);

OAuthSettings settings(const std::string& url) {
    return {.token_url = *http::parse_url(url),
            .client_id = "id 1",
            .client_secret = "",
            .refresh_token = "rt-1",
            .scope = ""};
}

}  // namespace

TEST_CASE("the request is a form with what is configured") {
    OAuthSettings plain = settings("http://host:1/oauth/token");
    http::ClientRequest request = refresh_request(plain, "rt+/=&1", 3s);
    CHECK(request.method == "POST");
    CHECK(request.url.base_path + request.target == "/oauth/token");
    CHECK(request.timeout == 3s);
    CHECK(request.headers.front() ==
          std::pair<std::string, std::string>("content-type", "application/x-www-form-urlencoded"));
    CHECK(request.body == "grant_type=refresh_token&refresh_token=rt%2B%2F%3D%261&client_id=id%201");

    OAuthSettings full = settings("http://host:1");
    full.client_secret = "s\xC3\xA9 ~";
    full.scope = "openid profile";
    request = refresh_request(full, "r", 3s);
    CHECK(request.url.base_path + request.target == "/");
    CHECK(request.body ==
          "grant_type=refresh_token&refresh_token=r&client_id=id%201&client_secret=s%C3%A9%20~&scope=openid%20profile");
}

TEST_CASE("a grant is read, and what is missing has its usual meaning") {
    struct Row {
        const char* name;
        const char* body;
        const char* refresh_token;
        std::chrono::seconds life;
    };
    const Row rows[] = {
        {"all of it",
         R"({"access_token":"at-2","token_type":"Bearer","expires_in":600,"refresh_token":"rt-2","scope":"x"})", "rt-2",
         600s},
        {"no rotation", R"({"access_token":"at-2","token_type":"bearer","expires_in":600})", "rt-1", 600s},
        {"rotation of null", R"({"access_token":"at-2","expires_in":600,"refresh_token":null})", "rt-1", 600s},
        {"no time", R"({"access_token":"at-2"})", "rt-1", 3600s},
        {"time as text", R"({"access_token":"at-2","expires_in":"600"})", "rt-1", 3600s},
        {"a century", R"({"access_token":"at-2","expires_in":3155760000})", "rt-1", 366 * 24h},
        {"for ever", R"({"access_token":"at-2","expires_in":9223372036854775807})", "rt-1", 366 * 24h},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const Result<TokenSet> got = read_grant({.status = 200, .headers = {}, .body = row.body}, "rt-1", kNow);
        REQUIRE(got);
        CHECK(*got == TokenSet{"at-2", row.refresh_token, kNowUs, kNowUs + row.life});
        CHECK(parse_token_set(to_json(*got)) == *got);
    }
}

TEST_CASE("what is no grant is an error that says what to do and repeats nothing") {
    struct Row {
        const char* name;
        int status;
        const char* body;
        Code code;
        const char* says;
    };
    const Row rows[] = {
        {"invalid_grant", 400, R"({"error":"invalid_grant","error_description":"SECRET"})", Code::unauthorized,
         "(invalid_grant); log in again"},
        {"invalid_client", 401, R"({"error":"invalid_client","SECRET":1})", Code::unauthorized, "check its client_id"},
        {"an error of its own", 400, R"({"error":"SECRET"})", Code::upstream_error, "answered 400"},
        {"400 of a proxy", 400, "<html>SECRET", Code::upstream_error, "answered 400; is its URL right?"},
        {"error as object", 400, R"({"error":{"code":"invalid_grant"}})", Code::upstream_error, "answered 400"},
        {"404", 404, R"({"error":"invalid_grant"})", Code::upstream_error, "answered 404; is its URL right?"},
        {"429", 429, "SECRET", Code::upstream_throttled, "answered 429"},
        {"500", 500, R"({"error":"invalid_grant"})", Code::upstream_error, "answered 500"},
        {"redirect", 302, "SECRET", Code::upstream_error, "answered 302"},
        {"garbage", 200, "SECRET", Code::upstream_malformed, "not a JSON object"},
        {"cut", 200, R"({"access_token":"SECRET)", Code::upstream_malformed, "not a JSON object"},
        {"array", 200, R"(["SECRET"])", Code::upstream_malformed, "not a JSON object"},
        {"empty", 200, "", Code::upstream_malformed, "not a JSON object"},
        {"no token", 200, R"({"token":"SECRET"})", Code::upstream_malformed, "without an access token"},
        {"number", 200, R"({"access_token":7})", Code::upstream_malformed, "without an access token"},
        {"a header of its own", 200, R"({"access_token":"SECRET\r\nx: y"})", Code::upstream_malformed,
         "that a header can carry"},
        {"blank", 200, R"({"access_token":"SECRET x"})", Code::upstream_malformed, "that a header can carry"},
        {"not ASCII", 200, R"({"access_token":"SECRETé"})", Code::upstream_malformed, "that a header can carry"},
        {"mac", 200, R"({"access_token":"SECRET","token_type":"mac"})", Code::upstream_malformed, "no bearer token"},
        {"dead", 200, R"({"access_token":"SECRET","expires_in":0})", Code::upstream_malformed, "expired already"},
        {"empty rotation", 200, R"({"access_token":"SECRET","refresh_token":""})", Code::upstream_malformed,
         "empty refresh token"},
        {"rotation of 7", 200, R"({"access_token":"SECRET","refresh_token":7})", Code::upstream_malformed,
         "empty refresh token"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const Result<TokenSet> got = read_grant({.status = row.status, .headers = {}, .body = row.body}, "rt-1", kNow);
        REQUIRE_FALSE(got);
        CHECK(got.error().code == row.code);
        CHECK(got.error().detail.find(row.says) != std::string::npos);
        CHECK(got.error().detail.find("SECRET") == std::string::npos);
    }
}

TEST_CASE("the endpoint's wish for time is kept, within reason") {
    struct Row {
        const char* value;
        std::optional<std::chrono::seconds> want;
    };
    const Row rows[] = {{"30", 30s}, {"0", 0s},        {"99999999", 3600s}, {"-5", {}},
                        {"", {}},    {"tomorrow", {}}, {"30s", {}},         {"99999999999999999999", {}}};
    for (const Row& row : rows) {
        CAPTURE(row.value);
        const Result<TokenSet> got =
            read_grant({.status = 503, .headers = {{"Retry-After", row.value}}, .body = ""}, "rt-1", kNow);
        CHECK(got.error().retry_after == row.want);
    }
}

TEST_CASE("a token is renewed a tenth of its life ahead, at most five minutes") {
    struct Row {
        std::chrono::seconds life, ahead;
    };
    for (const Row& row : {Row{3600s, 300s}, Row{86400s, 300s}, Row{600s, 60s}, Row{10s, 1s}}) {
        const TokenSet tokens{"a", "r", kNow, kNow + row.life};
        CHECK(renewed_ahead(tokens) == row.ahead);
        CHECK(is_fresh(tokens, kNow + row.life - row.ahead - 1us));
        CHECK_FALSE(is_fresh(tokens, kNow + row.life - row.ahead));
        CHECK_FALSE(is_fresh(tokens, kNow + 2 * row.life));
    }
}

TEST_CASE("what this program did not write is no token set") {
    for (const char* text :
         {"", "{}", "[]", "x", R"({"access_token":"a"})", R"({"refresh_token":"r"})",
          R"({"access_token":"a b","refresh_token":"r"})", R"({"access_token":1,"refresh_token":2})"})
        CHECK_FALSE(parse_token_set(text));
}
