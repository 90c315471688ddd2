#include "rollout/overview.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace oai;
using namespace oai::rollout;
using metrics::Ratio;

namespace {

core::Result<WindowMetrics> read(const std::string& data, const OverviewQuery& query = {},
                                 RateScale scale = RateScale::unknown) {
    return read_overview(json::Value::parse(data).value(), query, scale);
}

BareValues bare(const std::string& data, RateScale scale = RateScale::unknown) {
    const core::Result<WindowMetrics> window = read(data, {}, scale);
    REQUIRE_MESSAGE(window, (window ? "" : window.error().detail));
    return std::get<BareValues>(window->values);
}

std::string refusal(const std::string& data, const OverviewQuery& query = {}, RateScale scale = RateScale::unknown) {
    const core::Result<WindowMetrics> window = read(data, query, scale);
    return window ? "" : window.error().detail;
}

}  // namespace

TEST_CASE("the query names what was asked for and escapes it") {
    CHECK(overview_target({}) == "/dashboard/overview?platform=openai&time_range=30m");
    CHECK(overview_target({.platform = "", .group_id = "7", .time_range = "5m"}) ==
          "/dashboard/overview?time_range=5m&group_id=7");
    CHECK(overview_target({.provider = "llm/open ai", .version = "v2&x", .model = "gpt-5"}) ==
          "/dashboard/overview?platform=openai&time_range=30m&provider=llm%2Fopen%20ai&version=v2%26x&model=gpt-5");
    CHECK(overview_target({.start_time = "2026-02-12T09:00:00+08:00"}) ==
          "/dashboard/overview?platform=openai&start_time=2026-02-12T09%3A00%3A00%2B08%3A00");
}

TEST_CASE("rates come from the counts when they are there, whatever the scale of the values") {
    const std::string counts =
        R"("success_count":9981,"error_count_sla":19,"request_count_sla":10000,"upstream_error_count_excl_429_529":7)";
    for (const char* values : {R"("sla":0.9981,"error_rate":0.0019)", R"("sla":99.81,"error_rate":0.19)"}) {
        const BareValues read = bare("{" + counts + "," + values + "}");
        CHECK(read.counted);
        CHECK(read.sla == Ratio{9981, 10000});
        CHECK(read.error_rate == Ratio{19, 10000});
        CHECK(read.upstream_error_rate == Ratio{7, 10000});
        CHECK(read.successes == 9981);
    }
}

TEST_CASE("rates without counts are read when their scale is known") {
    const std::string percents = R"({"sla":99.78,"error_rate":1.20,"upstream_error_rate":1.05})";
    CHECK(bare(percents).sla == Ratio{9978, 10000});
    CHECK(bare(percents).error_rate == Ratio{12, 1000});
    CHECK(bare(percents, RateScale::percent).upstream_error_rate == Ratio{105, 10000});
    const std::string unclear = R"({"sla":0.998,"error_rate":0.002,"upstream_error_rate":0})";
    CHECK(bare(unclear).rates_unclear.find("--rates fraction") != std::string::npos);
    CHECK(bare(unclear, RateScale::fraction).sla == Ratio{998, 1000});
    CHECK(bare(unclear, RateScale::percent).sla == Ratio{998, 100000});
    // Ours say their unit.
    const std::string ours = R"({"sla":0.998,"sla_percent":99.8,"error_rate_percent":0.2})";
    CHECK(bare(ours).sla == Ratio{998, 1000});
    CHECK(bare(ours).error_rate == Ratio{2, 1000});
    CHECK_FALSE(bare(ours).upstream_error_rate);
}

TEST_CASE("no traffic is no data, whatever sla shows") {
    const BareValues counted = bare(
        R"({"success_count":0,"error_count_sla":0,"request_count_sla":0,"upstream_error_count_excl_429_529":0,"sla":0})");
    CHECK(counted.sla == Ratio{0, 0});
    CHECK_FALSE(bare(R"({"sla":0,"error_rate":0,"upstream_error_rate":0})").sla);
    CHECK_FALSE(bare(R"({"sla":null,"error_rate":null,"upstream_error_rate":null,"ttft":{"p99_ms":null}})").sla);
    CHECK(bare(R"({})").durations.empty());
}

TEST_CASE("an answer that cannot be right is refused with the reason") {
    struct Row {
        std::string data;
        RateScale scale;
        const char* want;
    };
    const Row rows[] = {
        {R"({"success_count":5,"error_count_sla":1,"request_count_sla":7,"upstream_error_count_excl_429_529":0})",
         RateScale::unknown,
         "the counts contradict each other: success_count 5 + error_count_sla 1 is not request_count_sla 7"},
        {R"({"success_count":-5,"error_count_sla":1,"request_count_sla":7,"upstream_error_count_excl_429_529":0})",
         RateScale::unknown, "success_count must be a whole number"},
        {R"({"sla":100.5,"error_rate":1})", RateScale::unknown, "sla must be a number from 0 to 100 (percent)"},
        {R"({"sla":99.5,"error_rate":1})", RateScale::fraction, "sla must be a number from 0 to 1 (fraction)"},
        {R"({"sla":"high","error_rate":1})", RateScale::fraction, "sla must be a number"},
        {R"({"ttft":{"p99_ms":-4}})", RateScale::unknown, "ttft.p99_ms must be a number of milliseconds"},
        {R"({"ttft":{"p99_ms":"fast"}})", RateScale::unknown, "ttft.p99_ms must be a number of milliseconds"},
        {R"({"metrics":{"schema":"oai.metrics/9"}})", RateScale::unknown, "oai.metrics/1: schema must be"},
        {R"({"platform":"anthropic"})", RateScale::unknown, "about platform anthropic, asked for was openai"},
        {R"({"platform":""})", RateScale::unknown, "about platform all, asked for was openai"},
        {R"({"start_time":"2026-02-12T09:00:00Z","end_time":"2026-02-12T10:00:00Z"})", RateScale::unknown,
         "the window is 1h long, asked for was 30m"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.data);
        const std::string got = refusal(row.data, {}, row.scale);
        CAPTURE(got);
        CHECK(got.find(row.want) != std::string::npos);
    }
}

TEST_CASE("a filter that the server did not apply is refused") {
    CHECK(refusal(R"({"group_id":null})", {.group_id = "7"}) == "the answer is about group_id none, asked for was 7");
    CHECK(refusal(R"({"group_id":7,"platform":"OpenAI"})", {.group_id = "7"}).empty());
    CHECK(refusal(R"({})", {.version = "v2"}).find("cannot tell traffic apart by version") != std::string::npos);
    CHECK(refusal(R"({})", {.provider = "llm/openai"}).find("--provider needs an oaigw gateway") != std::string::npos);
    CHECK(refusal(R"({})", {.model = "gpt-5"}).find("cannot tell traffic apart by model") != std::string::npos);
}

TEST_CASE("a window may be rounded outward to slots; a shorter one is noted") {
    const auto window = [](const char* end) {
        return read(R"({"window":{"start":"2026-02-12T09:00:00Z","end":")" + std::string(end) +
                    R"(","slot_seconds":10,"open_requests":3}})");
    };
    const auto whole = window("2026-02-12T09:30:10Z");
    REQUIRE(whole);
    CHECK(whole->open_requests == 3);
    CHECK(whole->notes.empty());
    const auto part = window("2026-02-12T09:12:00Z");
    REQUIRE(part);
    REQUIRE(part->notes.size() == 1);
    CHECK(part->notes[0] == "the window is 12m long, asked for was 30m");
}
