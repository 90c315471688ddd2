#include "thresholds/verdict.hpp"

#include <doctest/doctest.h>

using namespace oai::thresholds;

namespace {

RuleResult result(const char* limit, RuleState state, bool required = true) {
    return {.rule = {.limit = parse_limit(limit).value(), .required = required}, .observed = {}, .state = state};
}

}  // namespace

TEST_CASE("verdict, exit code and last line of rules that were judged") {
    using S = RuleState;
    struct Row {
        const char* name;
        std::vector<RuleResult> rules;
        const char* want;
    };
    const Row rows[] = {
        {"all ok", {result("sla >= 99%", S::ok), result("ttft.p99 <= 1s", S::ok)}, "verdict=PASS exit=0 rules=2"},
        {"one breach",
         {result("sla >= 99%", S::ok), result("ttft.p99 <= 1s", S::breach)},
         "verdict=BREACH exit=2 rules=2 breached=ttft.p99"},
        {"a breach wins over what could not be judged",
         {result("sla >= 99%", S::thin), result("ttft.p99 <= 1s", S::nodata), result("error_rate <= 2%", S::error),
          result("response.p95{stream=true} <= 3s", S::breach), result("upstream_error_rate <= 2%", S::breach)},
         "verdict=BREACH exit=2 rules=5 breached=response.p95{stream=true},upstream_error_rate "
         "undecided=sla,ttft.p99,error_rate"},
        {"thin",
         {result("sla >= 99%", S::thin), result("error_rate <= 2%", S::ok)},
         "verdict=INCONCLUSIVE exit=3 rules=2 undecided=sla"},
        {"no data", {result("sla >= 99%", S::nodata)}, "verdict=INCONCLUSIVE exit=3 rules=1 undecided=sla"},
        {"stale", {result("sla >= 99%", S::stale)}, "verdict=INCONCLUSIVE exit=3 rules=1 undecided=sla"},
        {"error",
         {result("sla >= 99%", S::error), result("error_rate <= 2%", S::thin)},
         "verdict=ERROR exit=1 rules=2 undecided=sla,error_rate"},
        {"an advisory breach decides nothing",
         {result("sla >= 99%", S::ok), result("ttft.p99 <= 1s", S::breach, false)},
         "verdict=PASS exit=0 rules=2"},
        {"nor does advisory data that is missing",
         {result("sla >= 99%", S::ok), result("ttft.p99 <= 1s", S::error, false)},
         "verdict=PASS exit=0 rules=2"},
        {"what is off decides nothing",
         {result("sla >= 99%", S::ok), result("ttft.p99 <= 1s", S::off)},
         "verdict=PASS exit=0 rules=2 off=ttft.p99"},
        {"nor does it hide a breach, or what is missing",
         {result("sla >= 99%", S::breach), result("error_rate <= 2%", S::thin), result("ttft.p99 <= 1s", S::off)},
         "verdict=BREACH exit=2 rules=3 breached=sla undecided=error_rate off=ttft.p99"},
        {"all off is no pass", {result("ttft.p99 <= 1s", S::off)}, "verdict=INCONCLUSIVE exit=3 rules=1 off=ttft.p99"},
        {"no rule at all is no pass", {}, "verdict=INCONCLUSIVE exit=3 rules=0"},
        {"only advisory rules are no pass",
         {result("sla >= 99%", S::ok, false)},
         "verdict=INCONCLUSIVE exit=3 rules=1"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        CHECK(verdict_line({.set = "t", .rules = row.rules, .verdict = overall(row.rules)}) == row.want);
    }
}

TEST_CASE("states have names") {
    std::string names;
    for (const RuleState state : {RuleState::ok, RuleState::breach, RuleState::thin, RuleState::nodata, RuleState::off,
                                  RuleState::stale, RuleState::error})
        names += std::string(name_of(state)) + " ";
    CHECK(names == "ok breach thin nodata off stale error ");
}
