#include "rollout/bare_values.hpp"

#include <string>

#include <doctest/doctest.h>

#include "thresholds/evaluate.hpp"

using namespace oai;
using namespace oai::rollout;
using metrics::Ratio;

namespace {

json::Value number(const std::string& text) {
    return json::Value::parse(text).value();
}

thresholds::RuleState state(const char* limit, const BareValues& values) {
    const thresholds::Rule rule{.limit = thresholds::parse_limit(limit).value()};
    return thresholds::judge(rule, observe(rule, values)).state;
}

}  // namespace

TEST_CASE("a decimal number becomes the ratio that its digits say") {
    struct Row {
        std::string text;
        std::uint64_t most;
        std::optional<Ratio> want;
    };
    const Row rows[] = {
        {"0.9981", 1, Ratio{9981, 10000}},
        {"0", 1, Ratio{0, 1}},
        {"-0.0", 1, Ratio{0, 1}},
        {"1", 1, Ratio{1, 1}},
        {"1.0", 1, Ratio{1, 1}},
        {"99.5", 100, Ratio{995, 10}},
        {"1.20", 100, Ratio{12, 10}},
        {"100", 100, Ratio{100, 1}},
        {"0.020000000000000018", 1, Ratio{2, 100}},  // 1 - 0.98 in doubles
        {"0.30000000000000004", 1, Ratio{3, 10}},
        {"2e-2", 1, Ratio{2, 100}},
        {"1.0001", 1, std::nullopt},
        {"-0.1", 1, std::nullopt},
        {"1e300", 100, std::nullopt},
        {"\"0.5\"", 1, std::nullopt},
        {"null", 1, std::nullopt},
        {"true", 1, std::nullopt},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        CHECK(decimal_ratio(number(row.text), row.most) == row.want);
    }
}

TEST_CASE("milliseconds become microseconds, never fewer") {
    struct Row {
        std::string text;
        std::optional<std::int64_t> want;
    };
    const Row rows[] = {
        {"900", 900'000},
        {"900.0001", 900'001},
        {"0.5", 500},
        {"0", 0},
        {"900.00000000000011", 900'000},
        {"3600000", 3'600'000'000},
        {"20000000", 20'000'001'000},
        {"-1", std::nullopt},
        {"1e15", std::nullopt},
        {"\"7\"", std::nullopt},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        CHECK(ms_to_us(number(row.text)) == row.want);
    }
}

TEST_CASE("a rule about something the server does not tell has no data") {
    BareValues values;
    values.error_rate = Ratio{1, 100};
    values.durations = {{metrics::Duration::ttft, metrics::p99, 780'000}};
    CHECK(state("error_rate <= 2%", values) == thresholds::RuleState::ok);
    CHECK(state("error_rate{stream=true} <= 2%", values) == thresholds::RuleState::nodata);
    CHECK(state("upstream_error_rate <= 2%", values) == thresholds::RuleState::nodata);
    CHECK(state("goodput >= 95%", values) == thresholds::RuleState::nodata);
    CHECK(state("ttft.p99 <= 900ms", values) == thresholds::RuleState::ok);
    CHECK(state("ttft.p99 <= 779ms", values) == thresholds::RuleState::breach);
    CHECK(state("ttft.p99{stream=true} <= 900ms", values) == thresholds::RuleState::ok);
    CHECK(state("ttft.p99{stream=false} <= 900ms", values) == thresholds::RuleState::nodata);
    CHECK(state("ttft.p95 <= 900ms", values) == thresholds::RuleState::nodata);
    CHECK(state("tpot.p99 <= 900ms", values) == thresholds::RuleState::nodata);
}

TEST_CASE("a percentile of fewer requests than a rule asks for is thin, and of none no data") {
    BareValues values;
    values.durations = {{metrics::Duration::ttft, metrics::p99, 5'000'000}};
    CHECK(state("ttft.p99 <= 900ms", values) == thresholds::RuleState::breach);
    values.successes = 20;
    CHECK(state("ttft.p99 <= 900ms", values) == thresholds::RuleState::breach);
    values.successes = 19;
    CHECK(state("ttft.p99 <= 900ms", values) == thresholds::RuleState::thin);
    values.successes = 0;
    CHECK(state("ttft.p99 <= 900ms", values) == thresholds::RuleState::nodata);
}
