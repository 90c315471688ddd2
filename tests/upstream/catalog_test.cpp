#include "upstream/catalog.hpp"

#include <map>

#include <doctest/doctest.h>

using namespace oai;
using namespace oai::upstream;

namespace {

Version version(std::string name, std::int64_t weight, bool is_default = false) {
    Version v{.provider = "llm/openai",
              .version = std::move(name),
              .weight = weight,
              .is_default = is_default,
              .model_name = {},
              .accounts = {}};
    v.accounts.push_back(Account{.name = "a", .target = http::Target(*http::parse_url("http://127.0.0.1:1"))});
    return v;
}

Catalog catalog(std::vector<Version> versions, std::vector<Route> routes) {
    std::vector<Provider> providers;
    providers.push_back(Provider{.name = "llm/openai", .versions = std::move(versions)});
    return Catalog(std::move(providers), std::move(routes));
}

}  // namespace

TEST_CASE("routes: exact first, then the longest wildcard") {
    const Catalog c = catalog(
        {version("v1", 1)},
        {Route{.pattern = "*", .provider = 0, .map = {}}, Route{.pattern = "gpt-*", .provider = 0, .map = {}},
         Route{.pattern = "gpt-5*", .provider = 0, .map = {}}, Route{.pattern = "gpt-5", .provider = 0, .map = {}}});
    CHECK(c.find_route("gpt-5")->pattern == "gpt-5");
    CHECK(c.find_route("gpt-5-mini")->pattern == "gpt-5*");
    CHECK(c.find_route("gpt-4o")->pattern == "gpt-*");
    CHECK(c.find_route("claude")->pattern == "*");
    CHECK(catalog({version("v1", 1)}, {Route{.pattern = "gpt-*", .provider = 0, .map = {}}}).find_route("claude") ==
          nullptr);
}

TEST_CASE("versions get their share of the hashes, and one hash always the same version") {
    const Catalog c = catalog({version("v1", 95), version("v2", 5)}, {Route{.pattern = "*", .provider = 0, .map = {}}});
    std::map<std::string, int> seen;
    for (std::uint64_t hash = 0; hash < 10'000; ++hash) ++seen[c.select("m", hash)->version->version];
    CHECK(seen["v1"] + seen["v2"] == 10'000);
    CHECK(seen["v2"] > 430);  // 500, and three standard deviations
    CHECK(seen["v2"] < 570);
    CHECK(c.select("m", 7)->version == c.select("m", 7)->version);
}

TEST_CASE("a change of weights moves the fewest sessions: only towards the version that grew") {
    const std::vector<Route> any{Route{.pattern = "*", .provider = 0, .map = {}}};
    const Catalog before = catalog({version("v1", 95), version("v2", 5)}, any);
    const Catalog after = catalog({version("v1", 80), version("v2", 20)}, any);
    int moved = 0;
    for (std::uint64_t hash = 0; hash < 10'000; ++hash) {
        const std::string from = before.select("m", hash)->version->version,
                          to = after.select("m", hash)->version->version;
        CHECK((from == to || to == "v2"));
        moved += from != to;
    }
    CHECK(moved > 1380);  // 15 % of them
    CHECK(moved < 1620);
}

TEST_CASE("a request without a model goes where everything goes") {
    const Catalog c = catalog({version("v1", 1)}, {Route{.pattern = "gpt-*", .provider = 0, .map = {}}});
    CHECK(c.select("", 1)->version->version == "v1");
    CHECK(c.select("", 1)->upstream_model.empty());
}

TEST_CASE("health stays with an account's name when the configuration is read again") {
    const std::vector<Route> any{Route{.pattern = "*", .provider = 0, .map = {}}};
    Registry registry;
    Catalog first = catalog({version("v1", 1)}, any), second = catalog({version("v1", 1), version("v2", 1)}, any);
    registry.adopt(first);
    registry.adopt(second);
    const auto& old_version = first.providers()[0].versions[0];
    CHECK(second.providers()[0].versions[0].accounts[0].state == old_version.accounts[0].state);
    CHECK(second.providers()[0].versions[0].pool == old_version.pool);
    CHECK(second.providers()[0].versions[1].pool != old_version.pool);
}

TEST_CASE("a version at weight 0 gets nothing; all at 0 falls to the default; nothing usable says so") {
    const std::vector<Route> any{Route{.pattern = "*", .provider = 0, .map = {}}};
    const Catalog one = catalog({version("v1", 0), version("v2", 3)}, any);
    for (std::uint64_t hash = 0; hash < 100; ++hash) CHECK(one.select("m", hash)->version->version == "v2");
    const Catalog none = catalog({version("v1", 0), version("v2", 0, true)}, any);
    CHECK(none.select("m", 1)->version->version == "v2");
    const Catalog dead = catalog({version("v1", 0)}, any);
    CHECK(dead.select("m", 1).error().code == core::Code::unavailable);
    CHECK(Catalog{}.select("m", 1).error().code == core::Code::unavailable);
    const Catalog other = catalog({version("v1", 1)}, {Route{.pattern = "gpt-*", .provider = 0, .map = {}}});
    CHECK(other.select("m", 1).error().code == core::Code::not_found);
}

TEST_CASE("a mapped name is what the upstream gets, and a version's own model name wins") {
    Version fixed = version("v1", 1);
    const std::vector<Route> mapped{Route{.pattern = "*", .provider = 0, .map = {{"alias", "real"}}}};
    const Catalog a = catalog({fixed}, mapped);
    CHECK(a.select("alias", 1)->upstream_model == "real");
    CHECK(a.select("other", 1)->upstream_model == "other");
    fixed.model_name = "pinned";
    const Catalog b = catalog({fixed}, mapped);
    CHECK(b.select("alias", 1)->upstream_model == "pinned");
    CHECK(a.model_names() == std::vector<std::string>{"alias"});
}

TEST_CASE("what an upstream lists is offered when a request of that name gets there") {
    struct Row {
        const char* name;
        std::vector<Version> versions;
        Route route;
        const char* model;
        bool want;
    };
    Version renaming = version("v1", 1);
    renaming.model_name = "other";
    const Route all{.pattern = "*", .provider = 0, .map = {}};
    const Row rows[] = {
        {"any name", {version("v1", 1)}, all, "m", true},
        {"no route", {version("v1", 1)}, {.pattern = "gpt-*", .provider = 0, .map = {}}, "m", false},
        {"the name means another",
         {version("v1", 1)},
         {.pattern = "*", .provider = 0, .map = {{"m", "n"}}},
         "m",
         false},
        {"renamed by another name",
         {version("v1", 1)},
         {.pattern = "*", .provider = 0, .map = {{"n", "m"}}},
         "m",
         true},
        {"the version serves one model", {renaming}, all, "m", false},
        {"a version without traffic", {version("v1", 0), version("v2", 1)}, all, "m", false},
        {"all at 0: the default", {version("v1", 0, true), version("v2", 0)}, all, "m", true},
        {"all at 0: another", {version("v1", 0), version("v2", 0, true)}, all, "m", false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const Catalog c = catalog(row.versions, {row.route});
        CHECK(c.offers(c.providers()[0].versions[0], row.model) == row.want);
    }
}

TEST_CASE("a model is needed where anything depends on it") {
    const Route all{.pattern = "*", .provider = 0, .map = {}};
    CHECK_FALSE(catalog({version("v1", 1)}, {all}).needs_model());
    CHECK(catalog({version("v1", 1)}, {{.pattern = "gpt-*", .provider = 0, .map = {}}}).needs_model());
    CHECK(catalog({version("v1", 1)}, {{.pattern = "*", .provider = 0, .map = {{"a", "b"}}}}).needs_model());
    CHECK(catalog({version("v1", 1)}, {all, {.pattern = "gpt-*", .provider = 0, .map = {}}}).needs_model());
    Version renaming = version("v1", 1), picky = version("v1", 1), azure = version("v1", 1);
    renaming.model_name = "m";
    picky.accounts[0].models = {"gpt-*"};
    azure.accounts[0].type = AccountType::azure;
    for (const Version& v : {renaming, picky, azure}) CHECK(catalog({version("v0", 1), v}, {all}).needs_model());
}
