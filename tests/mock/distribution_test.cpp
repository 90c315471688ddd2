#include "mock/distribution.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace oai::mock;

namespace {

std::vector<std::int64_t> samples(const Distribution& law, int count) {
    std::vector<std::int64_t> all;
    for (int i = 0; i < count; ++i) {
        Draws draws(7, static_cast<std::uint64_t>(i), 0);
        all.push_back(law.sample(draws));
    }
    std::sort(all.begin(), all.end());
    return all;
}

}  // namespace

TEST_CASE("a duration law has the median and the spread that its text says") {
    struct Row {
        const char* text;
        std::int64_t p10_ms, p50_ms, p90_ms;
    };
    const Row rows[] = {
        {"0", 0, 0, 0},
        {"20ms", 20, 20, 20},
        {"uniform(10ms,30ms)", 12, 20, 28},
        {"uniform( 10ms , 30ms )", 12, 20, 28},
        {"normal(200ms,50ms)", 136, 200, 264},
        {"normal(5ms,500ms)", 0, 5, 646},  // nothing is negative
        {"lognormal(200ms,0.4)", 120, 200, 334},
        {"exp(100ms)", 10, 69, 230},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        const auto law = parse_duration_distribution(row.text);
        REQUIRE(law);
        const std::vector<std::int64_t> all = samples(*law, 20'000);
        CHECK(all.front() >= 0);
        const auto near = [&](std::size_t at, std::int64_t want_ms) {
            const double got = static_cast<double>(all[at]) / 1e6;
            CHECK(got == doctest::Approx(static_cast<double>(want_ms)).epsilon(0.06).scale(20));
        };
        near(2'000, row.p10_ms);
        near(10'000, row.p50_ms);
        near(18'000, row.p90_ms);
    }
}

TEST_CASE("a count law gives whole numbers, and both ends of a range") {
    const auto range = parse_count_distribution("8-11");
    REQUIRE(range);
    const std::vector<std::int64_t> all = samples(*range, 4'000);
    CHECK(all.front() == 8);
    CHECK(all.back() == 11);
    for (std::int64_t value = 8; value <= 11; ++value) {
        const auto [low, high] = std::equal_range(all.begin(), all.end(), value);
        CHECK(high - low > 900);
        CHECK(high - low < 1'100);
    }
    CHECK(samples(*parse_count_distribution("16"), 10).front() == 16);
    CHECK(*parse_count_distribution("8-11") == *parse_count_distribution("uniform(8,11)"));
}

TEST_CASE("a law that cannot be is refused with an example") {
    for (const char* text :
         {"", "20", "ms", "-5ms", "uniform(10ms)", "uniform(30ms,10ms)", "normal(10ms", "exp(1ms,2ms)",
          "lognormal(10ms,5ms)", "lognormal(10ms,-1)", "gauss(1ms,2ms)", "normal()", "(1ms)"}) {
        CAPTURE(text);
        const auto law = parse_duration_distribution(text);
        REQUIRE_FALSE(law);
        CHECK(law.error().detail.find("lognormal(20ms,0.4)") != std::string::npos);
    }
    for (const char* text : {"", "x", "5ms", "9-8", "-4", "4-", "uniform(1,2,3)"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_count_distribution(text));
    }
}

TEST_CASE("draws depend on seed, number and purpose, each by itself") {
    const std::uint64_t base = Draws(1, 2, 3).next();
    CHECK(Draws(1, 2, 3).next() == base);
    CHECK(Draws(2, 2, 3).next() != base);
    CHECK(Draws(1, 3, 3).next() != base);
    CHECK(Draws(1, 2, 4).next() != base);
    CHECK(Draws(1, 3, 2).next() != base);
}
