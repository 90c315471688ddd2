#include "rollout/ops_client.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace oai;
using namespace oai::rollout;

TEST_CASE("an answer that is not data says what came and what to do") {
    struct Row {
        int status;
        const char* type;
        std::string body;
        const char* want;
    };
    const Row rows[] = {
        {500, "application/json", R"({"code":500,"message":"db down"})",
         R"(answered 500: {"code":500,"message":"db down"})"},
        {401, "application/json", R"({"code":"INVALID_TOKEN","message":"x"})",
         R"(answered 401: the admin token was refused: {"code":"INVALID_TOKEN","message":"x"}; check --admin-token (or OAIGUARD_ADMIN_TOKEN))"},
        {403, "application/json", R"({"code":"FORBIDDEN"})",
         R"(answered 403: {"code":"FORBIDDEN"}; the token must be an administrator's)"},
        {404, "text/plain", "404 page not found",
         "answered 404: 404 page not found; is --base-url the gateway's address, and is its ops monitoring on?"},
        {423, "application/json", R"({"code":"ADMIN_COMPLIANCE_ACK_REQUIRED"})",
         R"(answered 423: {"code":"ADMIN_COMPLIANCE_ACK_REQUIRED"}; an administrator must first accept the server's compliance notice)"},
        {502, "text/html", "<html><h1>Bad Gateway</h1>", "answered 502 with an HTML page"},
        {503, "text/plain", "", "answered 503"},
        {204, "application/json", "", "answered 204"},
        {200, "text/html; charset=utf-8", "<!doctype html><html>",
         "answered HTML, not JSON: is --base-url the gateway's address?"},
        {200, "application/json", " \n<html>", "answered HTML, not JSON: is --base-url the gateway's address?"},
        {200, "application/json", "", "answered 200 with nothing in it"},
        {200, "application/json", "ok\r\n", "answered text that is not JSON: ok"},
        {200, "application/json", R"({"code":0,"data":{"sla":)",
         R"(answered text that is not JSON: {"code":0,"data":{"sla":)"},
        {200, "application/json", R"({"status":"up"})",
         R"(answered JSON without "code": {"status":"up"}; is --base-url the gateway's address?)"},
        {200, "application/json", R"({"code":1001,"message":"no"})",
         R"(answered an error: {"code":1001,"message":"no"})"},
        {200, "application/json", R"({"code":"0","data":{}})", R"(answered an error: {"code":"0","data":{}})"},
        {200, "application/json", R"({"code":0,"message":"success"})",
         R"(answered without a "data" object: {"code":0,"message":"success"})"},
        {200, "application/json", R"({"code":0,"data":[]})",
         R"(answered without a "data" object: {"code":0,"data":[]})"},
        {200, "application/json", "[1]", R"(answered JSON without "code": [1]; is --base-url the gateway's address?)"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.status);
        CAPTURE(row.body);
        http::ClientResponse response;
        response.status = row.status;
        response.headers = {{"Content-Type", row.type}};
        response.body = row.body;
        const auto data = read_envelope(response);
        REQUIRE_FALSE(data);
        CHECK(data.error().detail == row.want);
    }
    http::ClientResponse moved;
    moved.status = 302;
    moved.headers = {{"location", "https://gw.example/login"}};
    const auto data = read_envelope(moved);
    REQUIRE_FALSE(data);
    CHECK(data.error().detail == "answered 302: it redirects to https://gw.example/login");
}

TEST_CASE("an excerpt is one line, and ends between characters") {
    CHECK(excerpt("a\nb\x1b[31mc") == "a b [31mc");
    CHECK(excerpt("abcdef", 3) == "abc...");
    CHECK(excerpt("ab\xC3\xA9", 3) == "ab...");
}
