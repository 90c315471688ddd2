#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "gateway/gateway.hpp"
#include "http/client.hpp"
#include "json/value.hpp"
#include "mock/server.hpp"
#include "upstream/catalog.hpp"

namespace oai::gateway::test {

using namespace std::chrono_literals;

/// A gateway before `n` accounts, each at an upstream of its own. The first is the one that is asked first.
struct Site {
    explicit Site(std::size_t n, const std::function<void(Config&)>& adjust = {},
                  std::int64_t first_weight = 1'000'000'000, std::int64_t concurrency = 0) {
        upstream::Version version{.provider = "llm/openai", .version = "v1", .weight = 100};
        for (std::size_t i = 0; i < n; ++i) {
            mock::ServerOptions options;
            options.seed = i + 1;
            options.control = true;  // to see what arrived
            upstreams.push_back(std::move(*mock::Server::start(options)));
            version.accounts.push_back(
                upstream::Account{.name = "a" + std::to_string(i),
                                  .target = http::Target(*http::parse_url(upstreams.back()->url())),
                                  .weight = i == 0 ? first_weight : 1,
                                  .concurrency = concurrency});
        }
        std::vector<upstream::Provider> providers{{.name = "llm/openai", .versions = {version}}};
        config.listen = net::ListenAddress{"127.0.0.1", 0};
        config.workers = 1;
        config.store_url = "memory:";
        config.admin_key = "admin-key";
        config.keys.push_back({"test", "sk-test-key", ""});
        config.keys.push_back({"other", "sk-other-key", ""});
        config.timeouts.first_output = 300ms;
        config.timeouts.idle = 300ms;
        config.timeouts.total = 1500ms;
        config.failover.backoff = 1ms;
        if (adjust) adjust(config);
        config.catalog = upstream::Catalog(std::move(providers), {{.pattern = "*", .provider = 0, .map = {}}});
        restart();
    }

    /// Ends the gateway and starts another one with the same configuration.
    void restart() {
        gateway.reset();
        FirstKeys made;
        auto started = Gateway::start(config, made);
        REQUIRE(started);
        gateway = std::move(*started);
    }

    http::ClientResponse send(std::string method, std::string target, std::string body = {},
                              std::string key = "sk-test-key", std::string content_type = "application/json") const {
        http::ClientRequest request;
        request.method = std::move(method);
        request.url = *http::parse_url("http://127.0.0.1:" + std::to_string(gateway->port()));
        request.target = std::move(target);
        request.body = std::move(body);
        request.headers.emplace_back("authorization", "Bearer " + key);
        if (!request.body.empty()) request.headers.emplace_back("content-type", std::move(content_type));
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

    Config config;
    std::vector<std::unique_ptr<mock::Server>> upstreams;
    std::unique_ptr<Gateway> gateway;
};

inline std::int64_t number(const json::Value& document, std::string_view path) {
    const json::Value* value = document.find_path(path);
    REQUIRE(value != nullptr);
    return value->as_int().value_or(-1);
}

}  // namespace oai::gateway::test
