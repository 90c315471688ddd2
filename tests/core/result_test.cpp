#include "core/result.hpp"

#include <memory>

#include <doctest/doctest.h>

using oai::core::Code;
using oai::core::Error;
using oai::core::Result;

TEST_CASE("a result holds a value or an error, never both") {
    const Result<int> good = 7;
    CHECK(good);
    CHECK(*good == 7);
    const Result<int> bad = Error{.code = Code::rate_limited, .detail = "slow down"};
    CHECK_FALSE(bad);
    CHECK(bad.error().code == Code::rate_limited);
    CHECK(bad.error().detail == "slow down");
}

TEST_CASE("a result of void is a success until told otherwise") {
    const Result<void> good;
    CHECK(good);
    const Result<void> bad = Error{.code = Code::internal};
    CHECK_FALSE(bad);
}

TEST_CASE("a value that can only be moved is moved out") {
    Result<std::unique_ptr<int>> owner = std::make_unique<int>(3);
    const std::unique_ptr<int> taken = *std::move(owner);
    CHECK(*taken == 3);
}
