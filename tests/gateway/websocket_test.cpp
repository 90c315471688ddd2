// Responses over WebSocket: turns of one conversation, each a request of its own.
#include "gateway/websocket.hpp"

#include <doctest/doctest.h>

#include "gateway/gateway.hpp"
#include "http/client.hpp"
#include "json/value.hpp"
#include "mock/server.hpp"
#include "support/websocket_client.hpp"
#include "upstream/catalog_config.hpp"

using namespace oai;
using namespace oai::gateway;
using test::Conversation;

namespace {

struct Site {
    Site() {
        upstream = std::move(*mock::Server::start({}));
        Config config;
        config.listen = net::ListenAddress{"127.0.0.1", 0};
        config.workers = 1;
        config.store_url = "memory:";
        config.admin_key = "admin-key";
        config.keys.push_back({"test", "sk-test-key", ""});
        config.catalog = *upstream::single_upstream(upstream->url(), "sk-up");
        FirstKeys made;
        auto started = Gateway::start(config, made);
        REQUIRE(started);
        gateway = std::move(*started);
    }
    http::ClientResponse get(std::string target, std::string key) const {
        http::ClientRequest request;
        request.url = *http::parse_url("http://127.0.0.1:" + std::to_string(gateway->address().port));
        request.target = std::move(target);
        request.headers.emplace_back("authorization", "Bearer " + key);
        const auto response = http::fetch_blocking(request);
        REQUIRE(response);
        return *response;
    }

    std::unique_ptr<mock::Server> upstream;
    std::unique_ptr<Gateway> gateway;
};

Conversation hold(const Site& site, std::vector<std::string> say) {
    Conversation c{.say = std::move(say), .fields = "authorization: Bearer sk-test-key\r\n"};
    test::hold(site.gateway->address().port, c);
    return c;
}

const std::string kTurn = R"({"type":"response.create","model":"gpt-5","input":"hi"})";

}  // namespace

TEST_CASE("each turn is answered in order, message by message, and counted as a request") {
    const Site site;
    const Conversation c = hold(site, {kTurn, R"({"model":"gpt-5","stream":true,"input":"again","store":false})"});
    CAPTURE(c.failed);
    REQUIRE(c.opened);
    REQUIRE(c.heard.size() == 2);
    for (const std::vector<std::string>& messages : c.heard) {
        REQUIRE(messages.size() > 3);
        CHECK(messages.front().find("response.created") != std::string::npos);
        CHECK(messages.back().find("response.completed") != std::string::npos);
        for (const std::string& message : messages) CHECK(json::Value::parse(message));
    }
    CHECK(c.closed == http::CloseCode::normal);
    const auto overview =
        json::Value::parse(site.get("/api/v1/admin/ops/dashboard/overview?time_range=5m", "admin-key").body);
    REQUIRE(overview);
    CHECK(overview->find_path("data.request_count_total")->as_int() == 2);  // the turns, not the conversation
    CHECK(overview->find_path("data.success_count")->as_int() == 2);
    CHECK(overview->find_path("data.ttft.n")->as_int() == 2);
    CHECK(site.upstream->counters().requests == 2);
}

TEST_CASE("what is wrong with a turn is said in a message, and the conversation goes on") {
    struct Row {
        const char* name;
        std::string message;
        int status;
        const char* holds;
    };
    const Row rows[] = {
        {"no model", R"({"type":"response.create","input":"hi"})", 400, "model is required"},
        {"another type", R"({"type":"response.append","model":"m"})", 400, "response.create"},
        {"no JSON", "hello", 400, "JSON"},
        {"a warm-up", R"({"type":"response.create","model":"m","generate":false})", 400, "generate"},
        {"the upstream's own error", R"({"type":"response.create","model":"mock-error-400","input":"x"})", 400,
         "error"},
        {"the upstream cuts", R"({"type":"response.create","model":"mock-cut-before-head","input":"x"})", 502,
         "upstream"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.name));
        const Site site;
        const Conversation c = hold(site, {row.message, kTurn});
        REQUIRE(c.heard.size() == 2);
        REQUIRE(c.heard[0].size() == 1);
        const auto told = json::Value::parse(c.heard[0][0]);
        REQUIRE(told);
        CHECK(told->find("type")->as_string() == "error");
        CHECK(told->find("status")->as_int() == row.status);
        CHECK(c.heard[0][0].find(row.holds) != std::string::npos);
        CHECK(c.heard[1].back().find("response.completed") != std::string::npos);
    }
}

TEST_CASE("a stream that breaks after its first output ends with an error message") {
    const Site site;
    const Conversation c = hold(site, {R"({"type":"response.create","model":"mock-cut-after-3","input":"x"})", kTurn});
    REQUIRE(c.heard.size() == 2);
    CHECK(c.heard[0].front().find("response.created") != std::string::npos);
    CHECK(c.heard[0].back().find("upstream_truncated") != std::string::npos);
    CHECK(c.heard[1].back().find("response.completed") != std::string::npos);
}

TEST_CASE("messages that are no text end the conversation with the code for that") {
    const Site site;
    const Conversation c = hold(site, {"binary:x"});
    CHECK(c.closed == http::CloseCode::unsupported);
}

TEST_CASE("without an upgrade the answer says what is needed") {
    const Site site;
    const http::ClientResponse plain = site.get("/v1/responses", "sk-test-key");
    CHECK(plain.status == 426);
    CHECK(plain.header("upgrade") == "websocket");
    CHECK(site.get("/v1/responses", "sk-wrong").status == 401);
}
