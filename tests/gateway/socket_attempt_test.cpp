// Turns over WebSockets of the upstream's: kept ones, pinned ones, refused ones, and those that break.
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "gateway/gateway.hpp"
#include "http/client.hpp"
#include "json/value.hpp"
#include "mock/server.hpp"
#include "support/websocket_client.hpp"
#include "upstream/catalog.hpp"
#include "upstream/token_endpoint.hpp"

using namespace oai;
using namespace oai::gateway;
using namespace std::chrono_literals;
using test::Conversation;

namespace {

struct SiteOptions {
    std::size_t accounts = 1;
    bool first_only = false;  ///< the others are there for what the first one cannot do
    std::string credential = {};
    mock::Behaviour behaviour = {};
    std::optional<upstream::OAuthSettings> oauth = {};
    std::chrono::milliseconds first_output{300};
};

/// A gateway before accounts with WebSockets, each at an upstream of its own.
struct Site {
    explicit Site(SiteOptions wanted = {}) {
        upstream::Version version{.provider = "llm/openai", .version = "v1", .weight = 100};
        for (std::size_t i = 0; i < wanted.accounts; ++i) {
            mock::ServerOptions options;
            options.control = true;
            if (i == 0) options.behaviour = wanted.behaviour;
            upstreams.push_back(std::move(*mock::Server::start(options)));
            version.accounts.push_back(
                upstream::Account{.name = "a" + std::to_string(i),
                                  .target = http::Target(*http::parse_url(upstreams.back()->url())),
                                  .credential = wanted.credential,
                                  .weight = wanted.first_only && i == 0 ? 1'000'000'000 : 1,
                                  .websocket = true,
                                  .oauth = wanted.oauth});
        }
        std::vector<upstream::Provider> providers{{.name = "llm/openai", .versions = {version}}};
        Config config;
        config.listen = net::ListenAddress{"127.0.0.1", 0};
        config.workers = 1;
        config.store_url = "memory:";
        config.admin_key = "admin-key";
        config.keys.push_back({"test", "sk-test-key", ""});
        config.timeouts.first_output = wanted.first_output;
        config.failover.backoff = 1ms;
        config.stream.keepalive = 20ms;
        config.catalog = upstream::Catalog(std::move(providers),
                                           {{.pattern = "*", .provider = 0, .map = {{"small", "gpt-5-mini"}}}});
        FirstKeys made;
        auto started = Gateway::start(config, made);
        REQUIRE(started);
        gateway = std::move(*started);
    }

    Conversation hold(std::vector<std::string> say, std::string fields = {}, std::size_t leave_after = SIZE_MAX) const {
        Conversation c{.say = std::move(say),
                       .fields = "authorization: Bearer sk-test-key\r\n" + fields,
                       .leave_after = leave_after};
        test::hold(gateway->port(), c);
        return c;
    }
    std::int64_t overview(std::string_view path) const {
        http::ClientRequest request;
        request.url = *http::parse_url("http://127.0.0.1:" + std::to_string(gateway->port()));
        request.target = "/api/v1/admin/ops/dashboard/overview?time_range=5m&endpoint=responses";
        request.headers.emplace_back("authorization", "Bearer admin-key");
        const auto response = http::fetch_blocking(request);
        REQUIRE(response);
        const auto document = json::Value::parse(response->body);
        REQUIRE(document);
        return document->find_path(path)->as_int().value_or(-1);
    }
    mock::Counters counters(std::size_t i = 0) const { return upstreams[i]->counters(); }
    std::uint64_t connections() const {
        std::uint64_t sum = 0;
        for (const auto& upstream : upstreams) sum += upstream->counters().connections;
        return sum;
    }

    std::vector<std::unique_ptr<mock::Server>> upstreams;
    std::unique_ptr<Gateway> gateway;
};

std::string turn(const std::string& more = {}, const std::string& model = "gpt-5") {
    return R"({"type":"response.create","model":")" + model + R"(","input":"hi")" + more + "}";
}

bool is_completed(const std::vector<std::string>& heard) {
    return !heard.empty() && heard.back().starts_with(R"({"type":"response.completed")");
}

mock::FaultRates always(const char* fault) {
    mock::FaultRates rates;
    rates.more.push_back({10'000, *mock::parse_fault(fault)});
    return rates;
}

/// For what another thread is about to do.
template <class Condition>
bool soon(Condition condition) {
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

}  // namespace

TEST_CASE("turns go over one kept socket, and clients that say other headers have one of their own") {
    const Site site;
    for (int client = 0; client < 2; ++client) {
        const Conversation c = site.hold({turn(), turn()});
        CAPTURE(c.failed);
        REQUIRE(c.heard.size() == 2);
        for (const std::vector<std::string>& heard : c.heard) {
            CHECK(heard.size() == 24);
            CHECK(heard.front().starts_with(R"({"type":"response.created")"));
            CHECK(is_completed(heard));
        }
        CHECK(c.closed == http::CloseCode::normal);
    }
    CHECK(site.counters().connections == 1);
    CHECK(site.counters().requests == 4);
    CHECK(site.overview("data.success_count") == 4);
    CHECK(site.overview("data.ttft.n") == 4);

    const Conversation other =
        site.hold({turn()}, "session-id: s1\r\nopenai-beta: responses_websockets=2026-02-06\r\n");
    CHECK(is_completed(other.heard.at(0)));
    CHECK(site.counters().connections == 2);
    const mock::ReceivedRequest received = site.upstreams[0]->received().back();
    CHECK(received.method == "GET");
    CHECK(received.header("session-id") == "s1");
    CHECK(received.header("openai-beta") == "responses_websockets=2026-02-06");
    CHECK(received.header("authorization").empty());
}

TEST_CASE("a message arrives as it was sent, but for its model and its type") {
    struct Row {
        const char* name;
        std::string sent, received;
    };
    const Row rows[] = {
        {"nothing to change", R"({ "type" : "response.create",  "model":"gpt-5", "x":[1, 2] })",
         R"({ "type" : "response.create",  "model":"gpt-5", "x":[1, 2] })"},
        {"the model has another name", R"({"x":1,"model":"small","type":"response.create","input":"small"})",
         R"({"x":1,"model":"gpt-5-mini","type":"response.create","input":"small"})"},
        {"no type", R"({"model":"small"})", R"({"type":"response.create","model":"gpt-5-mini"})"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.name));
        const Site site;
        const Conversation c = site.hold({row.sent});
        REQUIRE(is_completed(c.heard.at(0)));
        CHECK(site.upstreams[0]->received().at(0).body == row.received);
        const bool mapped = row.sent.find("small") != std::string::npos;
        CHECK(c.heard[0].front().find(mapped ? R"("model":"small")" : R"("model":"gpt-5")") != std::string::npos);
        CHECK(c.heard[0].front().find("gpt-5-mini") == std::string::npos);
    }
}

TEST_CASE("what is stored nowhere stays with the socket that brought it, until the conversation ends") {
    const Site site({.accounts = 2});
    const std::string unstored = R"(,"store":false)", next = unstored + R"(,"previous_response_id":"{id}")";
    const Conversation c = site.hold(
        {turn(unstored + R"(,"generate":false)"), turn(next), turn(next), turn(next), turn(next), turn(next)});
    REQUIRE(c.heard.size() == 6);
    CHECK(c.heard[0].size() == 2);  // a warm-up: created, completed
    for (const std::vector<std::string>& heard : c.heard) CHECK(is_completed(heard));
    CHECK(site.connections() == 1);
    CHECK(soon([&] { return site.counters(0).open + site.counters(1).open == 0; }));
    // And no other conversation may go on from it.
    const std::string id(json::Value::parse(c.heard[5].back())->find_path("response.id")->as_string().value());
    const Conversation later = site.hold({turn(R"(,"previous_response_id":")" + id + "\""), turn()});
    REQUIRE(later.heard.size() == 2);
    CHECK(later.heard[0].back().find("previous_response_not_found") != std::string::npos);
    CHECK(later.heard[0].back().find(R"("status":400)") != std::string::npos);
    CHECK(is_completed(later.heard[1]));
    CHECK(site.overview("data.success_count") == 7);
    CHECK(site.overview("data.error_count_sla") == 0);
}

TEST_CASE("what goes wrong with a turn is told in a message, and the conversation goes on") {
    struct Row {
        const char* name;
        const char* model;
        std::size_t heard;
        const char* holds;  ///< the last message
    };
    const Row rows[] = {
        {"cut before anything", "mock-cut-before-head", 1, R"("status":502)"},
        {"cut before output", "mock-cut-before-output", 3, "upstream_truncated"},
        {"cut after output", "mock-cut-after-2", 7, "upstream_truncated"},
        {"closed from inside", "mock-close-1011-before-output", 3, "1011"},
        {"closed for now, after output", "mock-close-1013-after-2", 7, "1013"},
        {"silence", "mock-hang", 1, R"("status":504)"},
        {"nothing but pings", "mock-ping-only", 1, R"("status":504)"},
        {"the upstream's own error", "mock-error-400", 1, R"("status":400)"},
        {"our credential", "mock-error-401", 1, "refused the gateway's credential"},
        {"its own failure", "mock-failed-event-after-2", 7, "response.failed"},
        {"no frames", "mock-bad-chunk-after-1", 6, "upstream_malformed"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.name));
        const Site site;
        const Conversation c = site.hold({turn({}, row.model), turn()});
        REQUIRE(c.heard.size() == 2);
        CHECK(c.heard[0].size() == row.heard);
        CAPTURE(c.heard[0].back());
        CHECK(c.heard[0].back().find(row.holds) != std::string::npos);
        CHECK(is_completed(c.heard[1]));
    }
}

TEST_CASE("whatever event ends a response ends its turn, and the socket carries the next one") {
    struct Row {
        const char* model;
        const char* last;
    };
    for (const Row& row : {Row{"mock-done-event", R"({"type":"response.done")"},
                           Row{"mock-cancelled-event", R"({"type":"response.cancelled")"}}) {
        CAPTURE(std::string(row.model));
        const Site site;
        const Conversation c = site.hold({turn({}, row.model), turn()});
        REQUIRE(c.heard.size() == 2);
        CHECK(c.heard[0].size() == 24);
        CHECK(c.heard[0].back().starts_with(row.last));
        CHECK(is_completed(c.heard[1]));
        CHECK(site.counters().connections == 1);
        CHECK(site.overview("data.error_count_sla") == 0);
        CHECK(site.overview("data.request_count_total") == 2);
    }
}

TEST_CASE("before its first output a turn goes on at another account") {
    for (const char* fault :
         {"cut-before-head", "cut-before-output", "close-1011-before-output", "close-1013-before-output", "error-503",
          "error-429", "error-401", "first-event-error", "hang"}) {
        CAPTURE(std::string(fault));
        const Site site({.accounts = 2, .first_only = true});
        site.upstreams[0]->set_faults(always(fault));
        const Conversation c = site.hold({turn()});
        REQUIRE(c.heard.size() == 1);
        CHECK(c.heard[0].size() == 24);
        CHECK(is_completed(c.heard[0]));
        CHECK(site.counters(0).requests == 1);
        CHECK(site.counters(1).requests == 1);
        CHECK(site.overview("data.error_count_sla") == 0);
    }
}

TEST_CASE("a kept socket that breaks before its first event is replaced by a fresh one") {
    const Site site;
    REQUIRE(is_completed(site.hold({turn()}).heard.at(0)));
    site.upstreams[0]->set_faults(always("fail-1-times-cut-before-head"));
    REQUIRE(is_completed(site.hold({turn({}, "other")}).heard.at(0)));
    CHECK(site.counters().connections == 2);
    CHECK(site.counters().requests == 3);
    CHECK(site.overview("data.upstream_error_count_excl_429_529") == 0);
}

TEST_CASE("an upstream that thinks for longer than its client hears nothing is no broken one") {
    SiteOptions options{.first_output = 60s};
    options.behaviour.ttft = mock::Distribution::constant(300ms);
    const Site site(options);
    const Conversation c = site.hold({turn()});
    CHECK(is_completed(c.heard.at(0)));
    CHECK(site.counters().requests == 1);
}

TEST_CASE("where the upgrade is refused turns go over HTTP") {
    SiteOptions options;
    options.behaviour.websocket = false;
    const Site site(options);
    const Conversation c = site.hold({turn(), turn(), turn(R"(,"generate":false)"), turn({}, "mock-unasked-101")});
    REQUIRE(c.heard.size() == 4);
    CHECK(is_completed(c.heard[0]));
    CHECK(is_completed(c.heard[1]));
    CHECK(c.heard[2].back().find("cannot be warmed up") != std::string::npos);
    std::string methods;
    for (const mock::ReceivedRequest& request : site.upstreams[0]->received()) methods += request.method + " ";
    CHECK(methods == "GET POST POST POST ");
    CHECK(c.heard[3].back().find("switched protocols unasked") != std::string::npos);
    CHECK(site.overview("data.success_count") == 2);
}

TEST_CASE("a handshake that is refused for its credential") {
    for (const std::size_t accounts : {1U, 2U}) {
        CAPTURE(accounts);
        SiteOptions options{.accounts = accounts, .first_only = true, .credential = "authorization: Bearer sk-one\r\n"};
        options.behaviour.api_keys = {"sk-two"};
        const Site site(options);
        const Conversation c = site.hold({turn()});
        REQUIRE(c.heard.size() == 1);
        if (accounts == 2) {
            CHECK(is_completed(c.heard[0]));
        } else {
            CHECK(c.heard[0].back().find("credential") != std::string::npos);
        }
        CHECK(site.upstreams[0]->received().at(0).header("authorization") == "Bearer sk-one");
    }
}

TEST_CASE("an OAuth account's socket is opened with its token; a new one that is refused is the account's fault") {
    struct Row {
        const char* name;
        const char* good;  ///< the only token that the upstream takes
        bool served;
        std::vector<std::string> shown;  ///< by the handshakes
    };
    const Row rows[] = {
        {"it is good", "at-1", true, {"Bearer at-1"}},
        {"it is refused: another one, a moment later, would be too", "at-2", false, {"Bearer at-1"}},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.name));
        int granted = 0;
        test::TokenEndpoint endpoint([&granted](const std::string&) {
            const std::string n = std::to_string(++granted);
            return test::TokenEndpoint::Answer{.body = R"({"access_token":"at-)" + n + R"(","expires_in":3600})"};
        });
        SiteOptions options;
        options.behaviour.api_keys = {row.good};
        options.oauth = upstream::OAuthSettings{.token_url = endpoint.url(),
                                                .client_id = "client",
                                                .client_secret = "",
                                                .refresh_token = "rt-0",
                                                .scope = ""};
        const Site site(options);
        const Conversation c = site.hold({turn(), turn()});
        REQUIRE(c.heard.size() == 2);
        if (row.served) {
            CHECK(is_completed(c.heard[0]));
            CHECK(is_completed(c.heard[1]));  // over the same socket: no token is looked at again
            CHECK(endpoint.forms().size() == row.shown.size());
            CHECK(site.counters().requests == 2);
        } else {
            CHECK(c.heard[0].back().find("refused the gateway's credential") != std::string::npos);
            CHECK(c.heard[0].back().find(row.good) == std::string::npos);
        }
        const std::vector<mock::ReceivedRequest> received = site.upstreams[0]->received();
        REQUIRE(received.size() >= row.shown.size());
        for (std::size_t i = 0; i < row.shown.size(); ++i) CHECK(received[i].header("authorization") == row.shown[i]);
    }
}

TEST_CASE("a client that leaves in the middle of a turn closes its upstream's socket") {
    struct Row {
        const char* model;
        std::size_t heard;
    };
    for (const Row& row : {Row{"mock-stall-before-output", 2}, Row{"mock-stall-after-2", 6}}) {
        CAPTURE(row.model);
        const Site site({.first_output = 60s});
        const Conversation c = site.hold({turn({}, row.model)}, {}, row.heard);
        REQUIRE(c.heard.size() == 1);
        CHECK(c.heard[0].size() == row.heard);
        CHECK(soon([&] { return site.counters().open == 0; }));
        CHECK(site.counters().requests == 1);
        CHECK(soon([&] { return site.overview("data.request_count_total") == 1; }));
        CHECK(site.overview("data.error_count_sla") == 0);
    }
}
