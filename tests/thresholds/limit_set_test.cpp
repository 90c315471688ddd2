#include "thresholds/limit_set.hpp"

#include <doctest/doctest.h>

#include "thresholds/ancestor.hpp"

using namespace oai::thresholds;
using oai::json::Writer;

namespace {

std::string texts(const LimitSet& set) {
    std::string all = set.name + ":";
    for (const Rule& rule : set.rules) all += " [" + rule.limit.text() + "]";
    return all;
}

std::string ancestor_text(const LimitSet& set) {
    Writer out;
    const auto written = write_ancestor_limits(out, set);
    return written ? out.take() : written.error().detail;
}

}  // namespace

TEST_CASE("the two built-in sets are those of MEASUREMENT 4") {
    CHECK(texts(target_set()) ==
          "target: [sla >= 99.5%] [ttft.p99 <= 900ms] [error_rate <= 2%] [upstream_error_rate <= 2%]");
    CHECK(texts(rollback_set()) ==
          "rollback: [ttft.p99 > 1200ms for 3m] [error_rate > 5% for 3m] [upstream_error_rate > 5% for 3m]");
    for (const Rule& rule : target_set().rules) {
        CHECK(rule.required);
        CHECK(rule.min_samples == 20);
    }
}

TEST_CASE("the ancestor's form is read in exact units") {
    const char* handbook =
        R"({"sla_percent_min":99.5,"ttft_p99_ms_max":900,"request_error_rate_percent_max":2,"upstream_error_rate_percent_max":2})";
    CHECK(read_limits(handbook, "target").value() == target_set());
    CHECK(ancestor_text(target_set()) == handbook);
    struct Row {
        const char *text, *want;
    };
    const Row rows[] = {
        {"{}", "t:"},
        {R"({"sla_percent_min":null,"ttft_p99_ms_max":500})", "t: [ttft.p99 <= 500ms]"},
        {R"({"ttft_p99_ms_max":0.5,"sla_percent_min":99.99})", "t: [sla >= 99.99%] [ttft.p99 <= 500us]"},
        {R"({"sla_percent_min":0.07})", "t: [sla >= 0.07%]"},
        {R"({"sla_percent_min":100.0,"request_error_rate_percent_max":0})", "t: [sla >= 100%] [error_rate <= 0%]"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        const auto set = read_limits(row.text, "t");
        REQUIRE_MESSAGE(set, set.error().detail);
        CHECK(texts(*set) == row.want);
        CHECK(*read_limits(ancestor_text(*set), "t") == *set);
    }
    // Every share of two decimals survives the double.
    for (int bp = 0; bp <= 10'000; ++bp) {
        const std::string text = "{\"sla_percent_min\":" + std::to_string(bp / 100) + "." +
                                 std::to_string(bp / 10 % 10) + std::to_string(bp % 10) + "}";
        REQUIRE(read_limits(text, "t")->rules[0].limit.value == bp);
    }
    CHECK(texts(*read_limits(R"({"sla_percent_min":95,"ttft_p99_ms_max":1200,"request_error_rate_percent_max":5})",
                             "rollback", Purpose::rollback)) ==
          "rollback: [sla < 95% for 3m] [ttft.p99 > 1200ms for 3m] [error_rate > 5% for 3m]");
    CHECK(ancestor_text(rollback_set()) ==
          R"({"ttft_p99_ms_max":1200,"request_error_rate_percent_max":5,"upstream_error_rate_percent_max":5})");
}

TEST_CASE("our own form is read and written back") {
    const char* text =
        R"({"schema":"oai.limits/1","limits":["ttft.p99 <= 900ms",{"limit":"tpot.p95{stream=true} <= 40ms","required":false,"min_samples":50}]})";
    const auto set = read_limits(text, "mine");
    REQUIRE_MESSAGE(set, set.error().detail);
    CHECK(set->name == "mine");
    CHECK(set->rules[0] == Rule{.limit = *parse_limit("ttft.p99 <= 900ms")});
    CHECK(set->rules[1] ==
          Rule{.limit = *parse_limit("tpot.p95{stream=true} <= 40ms"), .required = false, .min_samples = 50});
    Writer out;
    write_limits(out, *set);
    CHECK(out.text() == text);
}

TEST_CASE("what cannot be used is refused with the reason") {
    struct Row {
        const char *text, *want;
    };
    const Row rows[] = {
        {R"({"sla_percent_min":100.5})", "sla_percent_min must be between 0 and 100"},
        {R"({"sla_percent_min":-1})", "sla_percent_min must be between 0 and 100"},
        {R"({"sla_percent_min":99.555})", "sla_percent_min must have at most two decimals"},
        {R"({"sla_percent_min":"99.5"})", "sla_percent_min must be a number"},
        {R"({"ttft_p99_ms_max":-0.1})", "ttft_p99_ms_max must be >= 0"},
        {R"({"ttft_p99_ms_max":0.0005})", "ttft_p99_ms_max must have at most three decimals"},
        {R"({"ttft_p99_ms_max":1e300})", "ttft_p99_ms_max must be at most 3600000 (1 h)"},
        {R"({"upstream_error_rate_percent_max":200})", "upstream_error_rate_percent_max must be between 0 and 100"},
        {R"({"ttft_p99_max":900})",
         "unknown threshold \"ttft_p99_max\"; known: sla_percent_min ttft_p99_ms_max request_error_rate_percent_max "
         "upstream_error_rate_percent_max"},
        {"[]", "limits must be a JSON object"},
        {R"({"schema":"oai.limits/2","limits":[]})", "\"schema\" must be \"oai.limits/1\""},
        {R"({"schema":"oai.limits/1"})", "\"limits\" must be an array of limits"},
        {R"({"schema":"oai.limits/1","limits":[],"limit":1})",
         "unknown member \"limit\"; oai.limits/1 has \"schema\" and \"limits\""},
        {R"({"schema":"oai.limits/1","limits":[7]})",
         "a limit must be text such as \"ttft.p99 <= 900ms\", or an object with \"limit\""},
        {R"({"schema":"oai.limits/1","limits":["sla >= 99%","sla >= 99.0%"]})", "limit \"sla >= 99%\" stands twice"},
        {R"({"schema":"oai.limits/1","limits":[{"limit":"sla >= 99%","min_samples":0}]})",
         "\"min_samples\" must be one of \"limit\" (text), \"required\" (true or false), \"min_samples\" (1 or more)"},
        {R"({"schema":"oai.limits/1","limits":["sla >= 99"]})",
         "limit \"sla >= 99\": the unit is missing: sla is compared with a percentage, such as 2% (0.02 is written "
         "2%)"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        const auto set = read_limits(row.text, "t");
        REQUIRE_FALSE(set);
        CHECK(set.error().detail == row.want);
    }
    CHECK_FALSE(read_limits("not json", "t"));
}

TEST_CASE("limits without a field in the ancestor's form are named") {
    for (const char* text : {"tpot.p99 <= 40ms", "ttft.p95 <= 900ms", "error_rate{stream=true} <= 2%"}) {
        CAPTURE(text);
        CHECK(ancestor_text({"t", {Rule{.limit = *parse_limit(text)}}}) ==
              "limit \"" + std::string(text) + "\" has no field in the ancestor's form");
    }
}

TEST_CASE("the limits of a set are counted exactly where it is judged") {
    oai::metrics::Bounds bounds;
    pin_limits(bounds, target_set());
    pin_limits(bounds, rollback_set());
    const auto pinned = bounds.pinned(oai::metrics::Duration::ttft);
    REQUIRE(pinned.size() == 2);
    CHECK(pinned[0].count() == 900'000);
    CHECK(pinned[1].count() == 1'200'000);
}
