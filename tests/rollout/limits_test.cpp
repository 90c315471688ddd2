#include "rollout/limits.hpp"

#include <string>

#include <doctest/doctest.h>

#include "thresholds/limit_set.hpp"

using namespace oai;
using namespace oai::rollout;

namespace {

std::string refusal(const std::string& file, const std::string& set, const std::vector<std::string>& single) {
    const auto choice = choose_limits(file, set, single);
    return choice ? "" : choice.error().detail;
}

}  // namespace

TEST_CASE("the example file of limits is the target set") {
    const auto choice = choose_limits("scenarios/metric-thresholds.example.json", "", {});
    REQUIRE(choice);
    REQUIRE(choice->base);
    CHECK(choice->base->rules == thresholds::target_set().rules);
    CHECK(choice->base->name == "metric-thresholds.example.json");
    CHECK(choice->from == "--limits scenarios/metric-thresholds.example.json");
}

TEST_CASE("without --limits and --set the source is asked") {
    const auto choice = choose_limits("", "", {});
    REQUIRE(choice);
    CHECK_FALSE(choice->base);
    CHECK(choose_limits("", "rollback", {})->base == thresholds::rollback_set());
}

TEST_CASE("what is wrong with limits is told before any traffic") {
    CHECK(refusal("x.json", "target", {}) == "--limits and --set exclude each other: give one of them");
    CHECK(refusal("", "prod", {}) == "--set must be target or rollback, got \"prod\"");
    CHECK(refusal("/nowhere/x.json", "", {}) == "--limits /nowhere/x.json: cannot be read: No such file or directory");
    CHECK(refusal("", "", {"ttff.p99 <= 900ms"}).find("--limit: limit \"ttff.p99 <= 900ms\": unknown metric") == 0);
    CHECK(refusal("", "", {"ttft.p99 <= 900"}).find("the unit is missing") != std::string::npos);
    CHECK(refusal("", "", {"ttft.p99 <= 900ms", "ttft.p99 > 1200ms"}) == "--limit: ttft.p99 stands twice");
}

TEST_CASE("a single limit takes the place of its subject's, or joins") {
    thresholds::LimitSet set = thresholds::target_set();
    apply(set, {thresholds::parse_limit("ttft.p99 <= 700ms").value(),
                thresholds::parse_limit("response.p95 <= 3s").value()});
    REQUIRE(set.rules.size() == 5);
    CHECK(set.rules[1].limit.text() == "ttft.p99 <= 700ms");
    CHECK(set.rules[4].limit.text() == "response.p95 <= 3s");
    CHECK(set.name == "target+limit");
}
