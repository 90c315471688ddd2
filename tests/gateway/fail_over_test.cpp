// What becomes of a request when accounts fail: the fault, the kind of request and the number of accounts in a table.
#include <doctest/doctest.h>

#include "gateway/gateway.hpp"
#include "http/client.hpp"
#include "json/value.hpp"
#include "mock/server.hpp"
#include "upstream/catalog.hpp"

using namespace oai;
using namespace oai::gateway;
using namespace std::chrono_literals;

namespace {

/// A gateway before `n` accounts, each at an upstream of its own. The first is the one that is asked first.
struct Site {
    explicit Site(std::size_t n, void (*adjust)(Config&) = nullptr) {
        upstream::Version version{.provider = "llm/openai", .version = "v1", .weight = 100};
        for (std::size_t i = 0; i < n; ++i) {
            mock::ServerOptions options;
            options.seed = i + 1;
            upstreams.push_back(std::move(*mock::Server::start(options)));
            version.accounts.push_back(
                upstream::Account{.name = "a" + std::to_string(i),
                                  .target = http::Target(*http::parse_url(upstreams.back()->url())),
                                  .weight = i == 0 ? 1'000'000'000 : 1});
        }
        std::vector<upstream::Provider> providers{{.name = "llm/openai", .versions = {version}}};
        Config config;
        config.listen = net::ListenAddress{"127.0.0.1", 0};
        config.workers = 1;
        config.store_url = "memory:";
        config.admin_key = "admin-key";
        config.keys.push_back({"test", "sk-test-key", ""});
        config.timeouts.first_output = 300ms;
        config.failover.backoff = 1ms;
        if (adjust != nullptr) adjust(config);
        config.catalog = upstream::Catalog(std::move(providers), {{.pattern = "*", .provider = 0, .map = {}}});
        FirstKeys made;
        auto started = Gateway::start(config, made);
        REQUIRE(started);
        gateway = std::move(*started);
    }

    http::ClientResponse send(std::string method, std::string target, std::string body, std::string key) const {
        http::ClientRequest request;
        request.method = std::move(method);
        request.url = *http::parse_url("http://127.0.0.1:" + std::to_string(gateway->port()));
        request.target = std::move(target);
        request.body = std::move(body);
        request.headers.emplace_back("authorization", "Bearer " + key);
        const auto response = http::fetch_blocking(request);
        REQUIRE(response);
        return *response;
    }
    http::ClientResponse ask(bool stream) const {
        return send("POST", "/v1/responses",
                    stream ? R"({"model":"m","input":"hi","stream":true})" : R"({"model":"m","input":"hi"})",
                    "sk-test-key");
    }
    json::Value admin(const std::string& target) const {
        const http::ClientResponse response = send("GET", "/api/v1/admin/ops" + target, "", "admin-key");
        REQUIRE(response.status == 200);
        return json::Value(std::move(*json::Value::parse(response.body)));
    }
    std::uint64_t requests(std::size_t i) const { return upstreams[i]->counters().requests; }

    std::vector<std::unique_ptr<mock::Server>> upstreams;
    std::unique_ptr<Gateway> gateway;
};

std::int64_t number(const json::Value& document, std::string_view path) {
    const json::Value* value = document.find_path(path);
    REQUIRE(value != nullptr);
    return value->as_int().value_or(-1);
}

}  // namespace

TEST_CASE("fault matrix: what the client saw, how often upstreams were asked, and what the numbers say") {
    struct Row {
        const char* name;
        mock::FaultRates faults;  ///< of the first account
        bool stream;
        std::size_t accounts;
        int status;                   ///< the client's
        const char* holds;            ///< in the answer
        std::uint64_t first, second;  ///< requests each account got
        std::int64_t errors, upstream_errors, throttled;
    };
    const mock::FaultRates none{};
    const auto error = [](int status) {
        return mock::FaultRates{.error_bp = 10'000, .error_status = status, .slow = {}};
    };
    const auto hang = mock::FaultRates{.hang_bp = 10'000, .slow = {}};
    const auto cut = mock::FaultRates{.cut_bp = 10'000, .slow = {}};
    const char* done = "\"completed\"";
    const char* completed = "response.completed";
    const Row rows[] = {
        {"nothing wrong", none, false, 2, 200, done, 1, 0, 0, 0, 0},
        {"nothing wrong, stream", none, true, 2, 200, completed, 1, 0, 0, 0, 0},
        {"500, one account", error(500), false, 1, 500, "server_error", 1, 0, 1, 1, 0},
        {"500, two accounts", error(500), false, 2, 200, done, 1, 1, 0, 1, 0},
        {"500, two accounts, stream", error(500), true, 2, 200, completed, 1, 1, 0, 1, 0},
        {"503, two accounts", error(503), false, 2, 200, done, 1, 1, 0, 1, 0},
        {"429, one account", error(429), false, 1, 429, "rate_limit", 1, 0, 1, 0, 1},
        {"429, two accounts", error(429), false, 2, 200, done, 1, 1, 0, 0, 1},
        {"401, one account", error(401), false, 1, 502, "credential", 1, 0, 1, 1, 0},
        {"401, two accounts, stream", error(401), true, 2, 200, completed, 1, 1, 0, 1, 0},
        {"400 is the request's own fault", error(400), false, 2, 400, "", 1, 0, 0, 0, 0},
        {"404 too", error(404), true, 2, 404, "", 1, 0, 0, 0, 0},
        {"409 is not tried again by itself", error(409), false, 2, 409, "", 1, 0, 0, 0, 0},
        {"529, two accounts", error(529), true, 2, 200, completed, 1, 1, 0, 0, 1},
        {"a hang, one account", hang, true, 1, 504, "upstream_timeout", 1, 0, 1, 1, 0},
        {"a hang, two accounts", hang, true, 2, 200, completed, 1, 1, 0, 1, 0},
        {"a cut answer, one account", cut, false, 1, 502, "upstream_truncated", 1, 0, 1, 1, 0},
        {"a cut answer, two accounts", cut, false, 2, 200, done, 1, 1, 0, 1, 0},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const Site site(row.accounts);
        site.upstreams[0]->set_faults(row.faults);
        const http::ClientResponse response = site.ask(row.stream);
        CAPTURE(response.body);
        CHECK(response.status == row.status);
        CHECK(response.body.find(row.holds) != std::string::npos);
        CHECK(site.requests(0) == row.first);
        if (row.accounts > 1) CHECK(site.requests(1) == row.second);
        if (row.second != 0) CHECK(response.header("x-oaigw-attempts").find("reason=") != std::string_view::npos);
        const json::Value overview = site.admin("/dashboard/overview?time_range=5m");
        CHECK(number(overview, "data.error_count_sla") == row.errors);
        CHECK(number(overview, "data.upstream_error_count_excl_429_529") == row.upstream_errors);
        CHECK(number(overview, "data.upstream_throttled_count") == row.throttled);
    }
}
