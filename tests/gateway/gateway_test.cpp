// The gateway in this process, before a scripted upstream: what the stages do together.
#include "gateway/gateway.hpp"

#include <doctest/doctest.h>

#include "http/client.hpp"
#include "http/sse.hpp"
#include "json/value.hpp"
#include "mock/server.hpp"
#include "upstream/catalog_config.hpp"

using namespace oai;
using namespace oai::gateway;

namespace {

struct Site {
    explicit Site(upstream::Catalog (*edit)(const std::string& url) = nullptr) {
        mock::ServerOptions options;
        mock_server = std::move(*mock::Server::start(options));
        Config config;
        config.listen = net::ListenAddress{"127.0.0.1", 0};
        config.workers = 1;
        config.store_url = "memory:";
        config.admin_key = "admin-key";
        config.keys.push_back({"test", "sk-test-key", "team"});
        config.catalog =
            edit == nullptr ? *upstream::single_upstream(mock_server->url(), "sk-up") : edit(mock_server->url());
        FirstKeys made;
        auto started = Gateway::start(config, made);
        REQUIRE(started);
        gateway = std::move(*started);
    }

    http::ClientResponse send(std::string method, std::string target, std::string body = {},
                              std::string key = "sk-test-key") const {
        http::ClientRequest request;
        request.method = std::move(method);
        request.url = *http::parse_url("http://127.0.0.1:" + std::to_string(gateway->port()));
        request.target = std::move(target);
        request.body = std::move(body);
        if (!key.empty()) request.headers.emplace_back("authorization", "Bearer " + key);
        const auto response = http::fetch_blocking(request);
        REQUIRE(response);
        return *response;
    }

    std::unique_ptr<mock::Server> mock_server;
    std::unique_ptr<Gateway> gateway;
};

std::string code_of(const http::ClientResponse& response) {
    const auto body = json::Value::parse(response.body);
    REQUIRE(body);
    const json::Value* code = body->find_path("error.code");
    return code == nullptr ? "" : std::string(code->as_string().value_or(""));
}

upstream::Catalog mapped(const std::string& url) {
    upstream::Catalog plain = *upstream::single_upstream(url, "sk-up");
    std::vector<upstream::Route> routes;
    routes.push_back(upstream::Route{.pattern = "*", .provider = 0, .map = {{"alias", "real-model"}}});
    return upstream::Catalog(plain.providers(), std::move(routes));
}

}  // namespace

TEST_CASE("requests are answered or refused, each for its own reason") {
    const Site site;
    const std::string good = R"({"model":"gpt-5","input":"hi"})";
    struct Row {
        const char* name;
        const char* method;
        const char* target;
        std::string body;
        const char* key;
        int status;
        const char* code;
    };
    const Row rows[] = {
        {"good", "POST", "/v1/responses", good, "sk-test-key", 200, ""},
        {"no key", "POST", "/v1/responses", good, "", 401, "invalid_api_key"},
        {"wrong key", "POST", "/v1/responses", good, "sk-other", 401, "invalid_api_key"},
        {"unknown path", "POST", "/v1/nothing", good, "sk-test-key", 404, "not_found"},
        {"other method", "DELETE", "/v1/responses", "", "sk-test-key", 405, "method_not_allowed"},
        {"a method that shows what we add", "TRACE", "/v1/files/file-1", "", "sk-test-key", 405, "method_not_allowed"},
        {"a tunnel", "CONNECT", "/v1/files/file-1", "", "sk-test-key", 405, "method_not_allowed"},
        {"no model", "POST", "/v1/responses", R"({"input":"hi"})", "sk-test-key", 400, "invalid_request"},
        {"not JSON", "POST", "/v1/responses", "hello", "sk-test-key", 400, "invalid_request"},
        {"model twice", "POST", "/v1/responses", R"({"model":"a","mod\u0065l":"b"})", "sk-test-key", 400,
         "invalid_request"},
        {"stream of a wrong type", "POST", "/v1/responses", R"({"model":"a","stream":"yes"})", "sk-test-key", 400,
         "invalid_request"},
        {"chat without messages", "POST", "/v1/chat/completions", R"({"model":"a"})", "sk-test-key", 400,
         "invalid_request"},
        {"the upstream's own error", "POST", "/v1/responses", R"({"model":"mock-error-503","input":"hi"})",
         "sk-test-key", 503, nullptr},
        {"the upstream refuses us", "POST", "/v1/responses", R"({"model":"mock-error-401","input":"hi"})",
         "sk-test-key", 502, "upstream_error"},
        {"a cut answer", "POST", "/v1/responses", R"({"model":"mock-cut","input":"hi"})", "sk-test-key", 502,
         "upstream_truncated"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const http::ClientResponse response = site.send(row.method, row.target, row.body, row.key);
        CAPTURE(response.body);
        CHECK(response.status == row.status);
        CHECK(response.header("x-request-id").starts_with("req_"));
        if (row.code != nullptr) CHECK(code_of(response) == row.code);
    }
}

TEST_CASE("a mapped model goes out under its real name and comes back under the client's") {
    const Site site(mapped);
    const http::ClientResponse whole = site.send("POST", "/v1/responses", R"({"model":"alias","input":"hi"})");
    CHECK(whole.status == 200);
    CHECK(json::Value::parse(whole.body)->find("model")->as_string() == "alias");
    CHECK(whole.body.find("real-model") == std::string::npos);
    const http::ClientResponse stream =
        site.send("POST", "/v1/responses", R"({"model":"alias","input":"hi","stream":true})");
    CHECK(stream.status == 200);
    CHECK(stream.body.find("\"model\":\"alias\"") != std::string::npos);
    CHECK(stream.body.find("real-model") == std::string::npos);
    CHECK(stream.body.find("response.completed") != std::string::npos);
    const http::ClientResponse models = site.send("GET", "/v1/models");
    CHECK(json::Value::parse(models.body)->find("data")->items().at(0).find("id")->as_string() == "alias");
}

TEST_CASE("a stream that is cut ends in an error event and never looks complete") {
    const Site site;
    for (const char* path : {"/v1/responses", "/v1/chat/completions"}) {
        CAPTURE(path);
        const http::ClientResponse cut =
            site.send("POST", path, R"({"model":"mock-cut-after-3","stream":true,"input":"x","messages":[]})");
        CHECK(cut.status == 200);
        CHECK(cut.body.find("event: error\ndata: {") != std::string::npos);
        CHECK(cut.body.find("upstream_truncated") != std::string::npos);
        CHECK(cut.body.find("[DONE]") == std::string::npos);
        CHECK(cut.body.find("response.completed") == std::string::npos);
        // Every event before it is whole: nothing was cut in half.
        http::SseReader reader;
        int events = 0;
        REQUIRE(reader.feed(cut.body, [&](const http::SseEvent& event) {
            ++events;
            CHECK(json::Value::parse(event.data));
        }));
        CHECK(events >= 2);
        CHECK_FALSE(reader.finish());
    }
}

TEST_CASE("what was served is in the overview, by version, and limits can be put and read") {
    const Site site;
    for (int i = 0; i < 3; ++i) site.send("POST", "/v1/responses", R"({"model":"gpt-5","input":"hi"})");
    site.send("POST", "/v1/responses", R"({"model":"mock-error-500","input":"hi"})");
    const std::string overview = "/api/v1/admin/ops/dashboard/overview?time_range=5m";
    CHECK(site.send("GET", overview, "", "sk-test-key").status == 401);
    const auto data =
        json::Value::parse(site.send("GET", overview + "&platform=openai&version=v1", "", "admin-key").body);
    REQUIRE(data);
    CHECK(data->find("code")->as_int() == 0);
    CHECK(data->find_path("data.request_count_sla")->as_int() == 4);
    CHECK(data->find_path("data.success_count")->as_int() == 3);
    CHECK(data->find_path("data.upstream_error_count_excl_429_529")->as_int() == 1);
    const auto other = json::Value::parse(site.send("GET", overview + "&version=v2", "", "admin-key").body);
    CHECK(other->find_path("data.request_count_sla")->as_int() == 0);
    CHECK(site.send("GET", overview + "&verison=v2", "", "admin-key").status == 400);
    CHECK(site.send("GET", "/api/v1/admin/ops/dashboard/overview?time_range=35m", "", "admin-key").status == 400);

    const std::string thresholds = "/api/v1/admin/ops/settings/metric-thresholds";
    const auto first = json::Value::parse(site.send("GET", thresholds, "", "admin-key").body);
    CHECK(first->find_path("data.ttft_p99_ms_max")->as_int() == 900);
    CHECK(site.send("PUT", thresholds, R"({"sla_percent_min":101})", "admin-key").status == 400);
    CHECK(site.send("PUT", thresholds, "{", "admin-key").status == 400);
    CHECK(site.send("PUT", thresholds, R"({"ttft_p99_ms_max":750})", "admin-key").status == 200);
    const auto changed = json::Value::parse(site.send("GET", thresholds, "", "admin-key").body);
    CHECK(changed->find_path("data.ttft_p99_ms_max")->as_int() == 750);
    CHECK(changed->find_path("data.sla_percent_min") == nullptr);
}

TEST_CASE("without an upstream a request says what to do, and counts against the platform") {
    const Site site([](const std::string&) { return upstream::Catalog(); });
    const http::ClientResponse response = site.send("POST", "/v1/responses", R"({"model":"gpt-5","input":"hi"})");
    CHECK(response.status == 503);
    CHECK(response.body.find("--upstream") != std::string::npos);
    const auto data = json::Value::parse(
        site.send("GET", "/api/v1/admin/ops/dashboard/overview?platform=openai&time_range=5m", "", "admin-key").body);
    CHECK(data->find_path("data.error_count_sla")->as_int() == 1);
}

TEST_CASE("a gateway that drains takes no new connections and loses no answer") {
    const Site site;
    CHECK(site.send("GET", "/readyz", "", "").status == 200);
    CHECK(site.gateway->drain(std::chrono::seconds{5}));
    http::ClientRequest request;
    request.url = *http::parse_url("http://127.0.0.1:" + std::to_string(site.gateway->port()));
    request.target = "/healthz";
    CHECK_FALSE(http::fetch_blocking(request));
}
