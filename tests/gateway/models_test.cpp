// GET /v1/models: what a client can name, from the routes and from what the upstreams list.
#include <doctest/doctest.h>

#include "gateway/site.hpp"

using namespace oai;
using namespace oai::gateway;
using namespace oai::gateway::test;

namespace {

/// Two accounts with models of their own, behind these routes.
Site site_with(std::vector<upstream::Route> routes, const std::function<void(Config&)>& adjust = {}) {
    Site site(2, adjust);
    const std::vector<std::string> lists[] = {{"gpt-5", "gpt-5-real", "o-1"}, {"gpt-5", "mistral"}};
    for (std::size_t i = 0; i < 2; ++i) {
        mock::Behaviour behaviour;
        behaviour.models = lists[i];
        site.upstreams[i]->set_behaviour(behaviour);
    }
    site.config.catalog = upstream::Catalog(site.config.catalog.providers(), std::move(routes));
    site.restart();
    return site;
}

std::string models(const Site& site) {
    const http::ClientResponse response = site.send("GET", "/v1/models");
    CAPTURE(response.body);
    REQUIRE(response.status == 200);
    const auto list = json::Value::parse(response.body);
    REQUIRE(list);
    std::string names;
    for (const json::Value& model : list->find("data")->items())
        names += std::string(names.empty() ? "" : " ") + std::string(*model.find("id")->as_string());
    return names;
}

std::size_t lists_asked(const Site& site, std::size_t account) {
    std::size_t asked = 0;
    for (const mock::ReceivedRequest& request : site.upstreams[account]->received())
        asked += request.target == "/v1/models";
    return asked;
}

}  // namespace

TEST_CASE("models are those of the routes, then what the upstreams list and a route lets through") {
    struct Row {
        const char* name;
        std::vector<upstream::Route> routes;
        const char* want;
    };
    const Row rows[] = {
        {"everything", {{.pattern = "*", .provider = 0, .map = {}}}, "gpt-5 gpt-5-real mistral o-1"},
        {"a pattern", {{.pattern = "gpt-*", .provider = 0, .map = {}}}, "gpt-5 gpt-5-real"},
        {"an alias comes first, as clients say it",
         {{.pattern = "*", .provider = 0, .map = {{"house", "gpt-5-real"}}}},
         "house gpt-5 gpt-5-real mistral o-1"},
        {"a name that means another model is that of the route",
         {{.pattern = "*", .provider = 0, .map = {{"o-1", "gpt-5-real"}}}},
         "o-1 gpt-5 gpt-5-real mistral"},
        {"names only", {{.pattern = "house", .provider = 0, .map = {}}}, "house"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        CHECK(models(site_with(row.routes)) == row.want);
    }
}

TEST_CASE("an account's own list of models holds for what its provider lists") {
    Site site = site_with({{.pattern = "*", .provider = 0, .map = {}}});
    std::vector<upstream::Provider> providers = site.config.catalog.providers();
    providers[0].versions[0].accounts[0].models = {"o-*"};
    site.config.catalog = upstream::Catalog(providers, site.config.catalog.routes());
    site.restart();
    CHECK(models(site) == "gpt-5 mistral o-1");
}

TEST_CASE("a model is told as its provider tells it; one that nobody lists by its name") {
    const Site site = site_with({{.pattern = "*", .provider = 0, .map = {}}});
    const http::ClientResponse listed = site.send("GET", "/v1/models/mistral");
    CHECK(listed.status == 200);
    CHECK(listed.body.find("\"owned_by\":\"mock\"") != std::string::npos);
    const http::ClientResponse other = site.send("GET", "/v1/models/other");
    CHECK(other.status == 200);
    CHECK(other.body.find("\"owned_by\":\"oaigw\"") != std::string::npos);
    const Site picky = site_with({{.pattern = "gpt-*", .provider = 0, .map = {}}});
    CHECK(picky.send("GET", "/v1/models/mistral").status == 404);
}

TEST_CASE("lists are kept for their time, and asked for at all only where that is configured") {
    const Site site = site_with({{.pattern = "*", .provider = 0, .map = {}}});
    for (int i = 0; i < 3; ++i) models(site);
    CHECK(lists_asked(site, 0) == 1);
    CHECK(lists_asked(site, 1) == 1);
    const Site off = site_with({{.pattern = "gpt-*", .provider = 0, .map = {{"gpt-house", "gpt-5"}}}},
                               [](Config& config) { config.models.upstream = false; });
    CHECK(models(off) == "gpt-house");
    CHECK(lists_asked(off, 0) == 0);
}

TEST_CASE("an upstream that fails or hangs costs its own models, and no more than a moment") {
    const Site site = site_with({{.pattern = "*", .provider = 0, .map = {}}});
    mock::Behaviour behaviour;
    behaviour.faults.error_bp = 10'000;
    site.upstreams[0]->set_behaviour(behaviour);
    CHECK(models(site) == "gpt-5 mistral");
    const Site hanging = site_with({{.pattern = "*", .provider = 0, .map = {}}});
    behaviour.faults.error_bp = 0;
    behaviour.faults.hang_bp = 10'000;
    hanging.upstreams[0]->set_behaviour(behaviour);
    const auto start = std::chrono::steady_clock::now();
    CHECK(models(hanging) == "gpt-5 mistral");
    CHECK(std::chrono::steady_clock::now() - start < 8s);
}
