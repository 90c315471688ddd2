// Lists of what lives at accounts, as one list: complete, in order, page by page, whatever the accounts do.
#include "gateway/lists.hpp"

#include <algorithm>
#include <set>

#include <doctest/doctest.h>

#include "gateway/site.hpp"

using namespace oai;
using namespace oai::gateway;
using namespace oai::gateway::test;

namespace {

json::Value parsed(const http::ClientResponse& response) {
    CAPTURE(response.body);
    auto body = json::Value::parse(response.body);
    REQUIRE(body);
    return std::move(*body);
}

std::string text_of(const json::Value& object, std::string_view name) {
    const json::Value* value = object.find(name);
    return value == nullptr ? "" : std::string(value->as_string().value_or(""));
}

std::vector<std::string> ids_of(const json::Value& list) {
    std::vector<std::string> ids;
    for (const json::Value& item : list.find("data")->items()) ids.push_back(text_of(item, "id"));
    return ids;
}

bool has_more(const json::Value& list) {
    return list.find("has_more")->as_bool().value_or(false);
}

/// Straight at one account, past the gateway: what was there before, or was made by another way.
std::string make_at(const Site& site, std::size_t account, const std::string& path = "/v1/vector_stores") {
    http::ClientRequest request;
    request.method = "POST";
    request.url = *http::parse_url(site.upstreams[account]->url());
    request.target = path;
    request.body = R"({"name":"x"})";
    request.headers.emplace_back("content-type", "application/json");
    const auto made = http::fetch_blocking(request);
    REQUIRE(made);
    return text_of(parsed(*made), "id");
}

/// `each` of them at each of `accounts` accounts, in turn.
std::set<std::string> make_everywhere(const Site& site, std::size_t accounts, int each) {
    std::set<std::string> ids;
    for (int i = 0; i < each; ++i) {
        for (std::size_t a = 0; a < accounts; ++a) ids.insert(make_at(site, a));
    }
    return ids;
}

/// All pages, with `after`.
std::vector<std::string> walk(const Site& site, const std::string& query) {
    std::vector<std::string> all;
    std::string after;
    for (int pages = 0; pages < 100; ++pages) {
        const json::Value list = parsed(
            site.send("GET", "/v1/vector_stores?" + query + (after.empty() ? std::string() : "&after=" + after)));
        const std::vector<std::string> ids = ids_of(list);
        all.insert(all.end(), ids.begin(), ids.end());
        if (!has_more(list)) return all;
        REQUIRE(!ids.empty());
        CHECK(text_of(list, "first_id") == ids.front());
        CHECK(text_of(list, "last_id") == ids.back());
        after = ids.back();
    }
    FAIL("the list has no end");
    return all;
}

}  // namespace

TEST_CASE("a list has what is at all accounts, and each of it is found then") {
    const Site site(3);
    const std::set<std::string> made = make_everywhere(site, 3, 4);
    const http::ClientResponse response = site.send("GET", "/v1/vector_stores");
    CHECK(response.status == 200);
    CHECK(response.header("x-oaigw-left-out").empty());
    const json::Value list = parsed(response);
    const std::vector<std::string> ids = ids_of(list);
    CHECK(std::set<std::string>(ids.begin(), ids.end()) == made);
    CHECK(ids.size() == made.size());
    CHECK_FALSE(has_more(list));
    for (const std::string& id : ids) CHECK(site.send("GET", "/v1/vector_stores/" + id).status == 200);
}

TEST_CASE("pages follow each other without a gap, in both orders") {
    const Site site(3);
    const std::set<std::string> made = make_everywhere(site, 3, 5);
    for (const char* limit : {"1", "2", "4", "15", "16"}) {
        CAPTURE(limit);
        std::vector<std::string> down = walk(site, "limit=" + std::string(limit));
        CHECK(down.size() == made.size());
        CHECK(std::set<std::string>(down.begin(), down.end()) == made);
        const std::vector<std::string> up = walk(site, "order=asc&limit=" + std::string(limit));
        CHECK(up.size() == made.size());
        CHECK(std::set<std::string>(up.begin(), up.end()) == made);
    }
}

TEST_CASE("before gives the page in front of an item, in the list's own order") {
    const Site site(3);
    make_everywhere(site, 3, 2);
    for (const std::string order : {"", "&order=asc"}) {
        CAPTURE(order);
        const std::vector<std::string> all = walk(site, "limit=2" + order);
        REQUIRE(all.size() == 6);
        for (std::size_t i = 0; i < all.size(); ++i) {
            CAPTURE(i);
            const json::Value list =
                parsed(site.send("GET", "/v1/vector_stores?limit=2" + order + "&before=" + all[i]));
            const auto at = all.begin() + static_cast<std::ptrdiff_t>(i);
            CHECK(ids_of(list) ==
                  std::vector<std::string>(at - static_cast<std::ptrdiff_t>(std::min<std::size_t>(i, 2)), at));
            CHECK(has_more(list) == (i > 2));
        }
    }
}

TEST_CASE("a page is as large as was asked for, else as the endpoint's own") {
    const Site site(2);
    make_everywhere(site, 2, 12);
    const json::Value usual = parsed(site.send("GET", "/v1/vector_stores"));
    CHECK(ids_of(usual).size() == 20);
    CHECK(has_more(usual));
    const json::Value three = parsed(site.send("GET", "/v1/vector_stores?limit=3"));
    CHECK(ids_of(three).size() == 3);
    CHECK(has_more(three));
}

TEST_CASE("the accounts of all versions are asked, those that are switched off are not") {
    Site site(3);
    std::vector<upstream::Provider> providers = site.config.catalog.providers();
    upstream::Version& first = providers[0].versions[0];
    upstream::Version second{.provider = "llm/openai", .version = "v2", .weight = 0};
    second.accounts.push_back(first.accounts[1]);
    first.accounts[2].active = false;
    first.accounts.erase(first.accounts.begin() + 1);
    providers[0].versions.push_back(second);
    site.config.catalog = upstream::Catalog(providers, site.config.catalog.routes());
    site.restart();
    const std::string a = make_at(site, 0), b = make_at(site, 1), c = make_at(site, 2);
    std::vector<std::string> ids = ids_of(parsed(site.send("GET", "/v1/vector_stores")));
    CHECK(std::set<std::string>(ids.begin(), ids.end()) == std::set<std::string>{a, b});
    const json::Value overview = site.admin("/dashboard/overview?version=v2&time_range=5m");
    CHECK(number(overview, "data.upstream_attempt_count") == 1);
    CHECK(number(overview, "data.request_count_total") == 0);  // the request is that of the version that was chosen
}

TEST_CASE("an account that fails is left out, and the answer says so; when all fail a refusal is passed on") {
    const Site site(2);
    make_everywhere(site, 2, 2);
    mock::Behaviour broken;
    broken.faults.error_bp = 10'000;
    site.upstreams[1]->set_behaviour(broken);
    const http::ClientResponse partial = site.send("GET", "/v1/vector_stores");
    CHECK(partial.status == 200);
    CHECK(partial.header("x-oaigw-left-out") == "1");
    CHECK(ids_of(parsed(partial)).size() == 2);

    broken.faults.error_status = 404;
    site.upstreams[0]->set_behaviour(broken);
    const http::ClientResponse none = site.send("GET", "/v1/vector_stores");
    CHECK(none.status == 404);
    CHECK(parsed(none).find_path("error.message") != nullptr);

    broken.faults.error_status = 401;
    for (const auto& upstream : site.upstreams) upstream->set_behaviour(broken);
    CHECK(site.send("GET", "/v1/vector_stores").status == 502);  // our credential is nobody else's business
    const json::Value overview = site.admin("/dashboard/overview?time_range=5m");
    CHECK(number(overview, "data.upstream_attempt_count") == 6);
    CHECK(number(overview, "data.upstream_attempt_failure_count") == 4);  // one, one of the two, both
}

TEST_CASE("one account, lists of one, and a cursor that nobody knows: the answer is the upstream's own") {
    const auto direct = [](const Site& site, const std::string& target) {
        http::ClientRequest request;
        request.url = *http::parse_url(site.upstreams[0]->url());
        request.target = target;
        return http::fetch_blocking(request)->body;
    };
    const Site alone(1);
    make_everywhere(alone, 1, 2);
    CHECK(alone.send("GET", "/v1/vector_stores").body == direct(alone, "/v1/vector_stores"));

    const Site one(2, [](Config& config) { config.merge_lists = false; });
    make_everywhere(one, 2, 2);
    CHECK(one.send("GET", "/v1/vector_stores").body == direct(one, "/v1/vector_stores"));

    const Site site(2);
    make_everywhere(site, 2, 2);
    CHECK(site.send("GET", "/v1/vector_stores?after=vs_nobody").body ==
          direct(site, "/v1/vector_stores?after=vs_nobody"));
    CHECK(site.send("GET", "/v1/vector_stores?limit=none").body == direct(site, "/v1/vector_stores?limit=none"));
}
