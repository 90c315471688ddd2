#include "mock/tokens.hpp"

#include <doctest/doctest.h>

using namespace oai::mock;
using namespace std::chrono_literals;

namespace {

const oai::core::TimePoint kStart{1h};

}  // namespace

TEST_CASE("an access token is good until it expires") {
    Tokens tokens;
    const OAuthRules rules{.expires_in = 60s, .rotate = false, .refresh_tokens = {}};
    const auto issued = tokens.refresh("rt", rules, "1", kStart);
    REQUIRE(issued);
    CHECK(issued->refresh == "rt");
    CHECK(tokens.is_good(issued->access, kStart + 59s));
    CHECK_FALSE(tokens.is_good(issued->access, kStart + 60s));
    CHECK_FALSE(tokens.is_good("other", kStart));
    const auto again = tokens.refresh("rt", rules, "2", kStart + 30s);
    REQUIRE(again);
    CHECK(again->access != issued->access);
    CHECK(tokens.is_good(issued->access, kStart + 31s));
}

TEST_CASE("rotation ends a refresh token with its use") {
    Tokens tokens;
    const OAuthRules rules{.expires_in = 60s, .rotate = true, .refresh_tokens = {"first"}};
    const auto one = tokens.refresh("first", rules, "1", kStart);
    REQUIRE(one);
    CHECK(one->refresh != "first");
    CHECK_FALSE(tokens.refresh("first", rules, "2", kStart));
    const auto two = tokens.refresh(one->refresh, rules, "3", kStart);
    REQUIRE(two);
    CHECK_FALSE(tokens.refresh(one->refresh, rules, "4", kStart));
    CHECK_FALSE(tokens.refresh("stranger", rules, "5", kStart));
    CHECK_FALSE(tokens.refresh("", OAuthRules{}, "6", kStart));
}
