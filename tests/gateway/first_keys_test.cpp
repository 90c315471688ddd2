#include "gateway/first_keys.hpp"

#include <doctest/doctest.h>

#include "store/open.hpp"

using namespace oai;
using namespace oai::gateway;

TEST_CASE("what is missing is made once, is stored hashed, and works afterwards") {
    Config config;
    config.store_url = "memory:";
    auto store = store::open(config.store_url);
    REQUIRE(store);
    const crypto::KeyedHash hash("pepper");
    FirstKeys made;
    const auto first = load_credentials(config, hash, **store, made);
    REQUIRE(first);
    CHECK(made.admin.starts_with("oaigw-admin-"));
    CHECK(made.client.starts_with("sk-oaigw-"));
    CHECK(first->keys->find(made.client) != nullptr);
    CHECK(first->admin == hash.digest(made.admin));
    CHECK((**store).keys().list()->at(0).hash == hash.digest(made.client));

    FirstKeys again;
    const auto second = load_credentials(config, hash, **store, again);
    REQUIRE(second);
    CHECK_FALSE(again.any());
    CHECK(second->keys->find(made.client) != nullptr);
    CHECK(second->admin == first->admin);
}

TEST_CASE("configured keys are taken as they are, and nothing is made") {
    Config config;
    config.store_url = "memory:";
    config.admin_key = "admin-1";
    config.keys.push_back({"dev", "sk-configured", "team"});
    auto store = store::open(config.store_url);
    const crypto::KeyedHash hash("pepper");
    FirstKeys made;
    const auto credentials = load_credentials(config, hash, **store, made);
    REQUIRE(credentials);
    CHECK_FALSE(made.any());
    CHECK(credentials->keys->find("sk-configured")->group == "team");
    CHECK(credentials->admin == hash.digest("admin-1"));
    CHECK((**store).keys().list()->empty());
}
