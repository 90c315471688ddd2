#include "thresholds/limit.hpp"

#include <doctest/doctest.h>

using namespace oai::thresholds;
using oai::metrics::Duration;
using oai::metrics::Percentile;
using oai::metrics::Rate;
using namespace std::chrono_literals;

TEST_CASE("limits are read with their units and printed in canonical form") {
    struct Row {
        const char *text, *canonical;
        Limit want;
    };
    const Row rows[] = {
        {"ttft.p99 <= 900ms", "ttft.p99 <= 900ms", {.metric = Duration::ttft, .statistic = {99'000}, .value = 900'000}},
        {"error_rate <= 2%", "error_rate <= 2%", {.metric = Rate::error_rate, .value = 200}},
        {" response.p95{stream=true}<=3s for 3m ",
         "response.p95{stream=true} <= 3s for 3m",
         {.metric = Duration::response,
          .statistic = {95'000},
          .stream = true,
          .value = 3'000'000,
          .sustained_for = 3min}},
        {"sla >= 99.5%", "sla >= 99.5%", {.metric = Rate::sla, .comparison = Comparison::at_least, .value = 9950}},
        {"ttft.p99 > 1.2s for 180s",
         "ttft.p99 > 1200ms for 3m",
         {.metric = Duration::ttft,
          .statistic = {99'000},
          .comparison = Comparison::above,
          .value = 1'200'000,
          .sustained_for = 3min}},
        {"sla < 99.95%", "sla < 99.95%", {.metric = Rate::sla, .comparison = Comparison::below, .value = 9995}},
        {"response_penalised.p99.9 <= 1h",
         "response_penalised.p99.9 <= 1h",
         {.metric = Duration::response_penalised, .statistic = {99'900}, .value = 3'600'000'000}},
        {"gap.max{ stream = false } <= 250us",
         "gap.max{stream=false} <= 250us",
         {.metric = Duration::gap, .statistic = {100'000}, .stream = false, .value = 250}},
        {"ttft.p50 <= 0ms", "ttft.p50 <= 0ms", {.metric = Duration::ttft, .statistic = {50'000}, .value = 0}},
        {"goodput >= 100%",
         "goodput >= 100%",
         {.metric = Rate::goodput, .comparison = Comparison::at_least, .value = 10'000}},
        {"error_rate{stream=true} > 0%",
         "error_rate{stream=true} > 0%",
         {.metric = Rate::error_rate, .stream = true, .comparison = Comparison::above, .value = 0}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        const auto limit = parse_limit(row.text);
        REQUIRE_MESSAGE(limit, limit.error().detail);
        CHECK(*limit == row.want);
        CHECK(limit->text() == row.canonical);
        CHECK(*parse_limit(limit->text()) == row.want);
    }
}

TEST_CASE("a limit that is not one is refused before any traffic, and the message says what would be right") {
    struct Row {
        const char *text, *want;
    };
    const Row rows[] = {
        {"tftt.p99 <= 900ms",
         "unknown metric \"tftt\"; known: response, response_penalised, service, ttfb, ttfe, ttft, tpot, gap, queue, "
         "overhead, "
         "error_rate, upstream_error_rate, sla, goodput"},
        {"",
         "unknown metric \"\"; known: response, response_penalised, service, ttfb, ttfe, ttft, tpot, gap, queue, "
         "overhead, "
         "error_rate, upstream_error_rate, sla, goodput"},
        {"ttft <= 900ms", "ttft needs a statistic, such as ttft.p99 or ttft.max"},
        {"ttft.avg <= 900ms", "unknown statistic \"avg\"; known: p50, p90, p95, p99, p99.9 (any up to p99.999), max"},
        {"ttft.p100 <= 900ms", "unknown statistic \"p100\"; known: p50, p90, p95, p99, p99.9 (any up to p99.999), max"},
        {"error_rate.p99 <= 2%", "error_rate is a rate and has no statistic"},
        {"ttft.p99{version=v2} <= 1s", "unknown label \"version\"; known: stream"},
        {"ttft.p99{stream=yes} <= 1s", "label stream must be true or false, got \"yes\""},
        {"ttft.p99{stream} <= 1s", "label stream must be true or false, got \"\""},
        {"ttft.p99{stream=true <= 1s", "a label needs its closing brace, as in {stream=true}"},
        {"ttft.p99 900ms", "after \"ttft.p99\" must come <= (must hold) or > (is a breach), got \"\""},
        {"ttft.p99 == 900ms", "after \"ttft.p99\" must come <= (must hold) or > (is a breach), got \"==\""},
        {"sla = 99%", "after \"sla\" must come >= (must hold) or < (is a breach), got \"=\""},
        {"ttft.p99 >= 900ms", "of ttft less is better: its limit is <= (must hold) or > (is a breach), not >="},
        {"ttft.p99 < 900ms", "of ttft less is better: its limit is <= (must hold) or > (is a breach), not <"},
        {"sla <= 99.5%", "of sla more is better: its limit is >= (must hold) or < (is a breach), not <="},
        {"ttft.p99 <=", "the value is missing; it must be like 900ms"},
        {"sla >=", "the value is missing; it must be like 2%"},
        {"ttft.p99 <= 900", "the unit is missing: write 900ms or 900s"},
        {"ttft.p99 <= 0", "the unit is missing: write 0ms or 0s"},
        {"ttft.p99 <= 2%", "ttft is a duration: its limit must be like 900ms or 3s, got \"2%\""},
        {"ttft.p99 <= fast", "a duration must be like 250ms, 30s or 3m, got \"fast\""},
        {"ttft.p99 <= 1.5us", "\"1.5us\" is finer than a microsecond"},
        {"ttft.p99 <= 2h", "\"2h\" is above 1h, the longest duration that is told apart"},
        {"error_rate <= 0.02",
         "the unit is missing: error_rate is compared with a percentage, such as 2% (0.02 is written 2%)"},
        {"error_rate <= 900ms", "error_rate is a rate: its limit must be a percentage such as 2%, got \"900ms\""},
        {"error_rate <= 101%", "a share must be like a percentage from 0% to 100%, got \"101%\""},
        {"error_rate <= 0.001%", "a share must be like 2% or 99.5% (at most two decimals), got \"0.001%\""},
        {"error_rate <= -1%", "a share must be like 2% or 99.5% (at most two decimals), got \"-1%\""},
        {"error_rate <= 2% in 3m", "after the value may come \"for\" and a duration, got \"in\""},
        {"error_rate <= 2% for", "a duration must be like 250ms, 30s or 3m, got \"\""},
        {"error_rate <= 2% for 3", "a duration must be like 250ms, 30s or 3m, got \"3\""},
        {"error_rate <= 2% for 0", "\"for\" needs a duration above zero, such as 3m"},
        {"error_rate <= 2% for 3m now", "nothing may follow after \"3m\", got \"now\""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        const auto limit = parse_limit(row.text);
        REQUIRE_FALSE(limit);
        CHECK(limit.error().detail == "limit \"" + std::string(row.text) + "\": " + row.want);
    }
}
