#include "crypto/random.hpp"

#include <set>
#include <string>

#include <doctest/doctest.h>

using namespace oai::crypto;

TEST_CASE("random bytes come in the number asked for and differ") {
    CHECK(random_bytes(0).empty());
    CHECK(random_bytes(33).size() == 33);
    CHECK(random_bytes(16) != random_bytes(16));
}

TEST_CASE("a new secret key is its prefix and 43 characters that need no quoting") {
    const std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::set<std::string> seen;
    std::set<char> characters;
    for (int i = 0; i < 200; ++i) {
        const std::string key = new_secret_key("sk-oai-");
        REQUIRE(key.size() == 50);
        CHECK(key.starts_with("sk-oai-"));
        CHECK(key.find_first_not_of(allowed, 7) == std::string::npos);
        characters.insert(key.begin() + 7, key.end());
        seen.insert(key);
    }
    CHECK(seen.size() == 200);
    CHECK(characters.size() == 64);  // 8600 draws: one missing would mean bits are lost
}
