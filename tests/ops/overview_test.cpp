#include "ops/overview.hpp"

#include <doctest/doctest.h>

#include "json/value.hpp"
#include "metrics/block.hpp"

using namespace oai;
using namespace oai::ops;

namespace {

json::Value overview(const metrics::Tally& tally) {
    Collector::Answer answer;
    answer.slot = std::chrono::seconds{10};
    answer.tally = std::make_unique<metrics::Tally>(tally);
    json::Writer out;
    write_overview(out, Filter{.platform = "openai"}, answer, SystemSample{.cpu_us = 5, .rss_bytes = 7});
    auto value = json::Value::parse(out.text());
    REQUIRE(value);
    return *value;
}

}  // namespace

TEST_CASE("the overview has the ancestor's fields, exact ones beside them, and the block that verdicts are made from") {
    metrics::Tally tally(metrics::Bounds::standard());
    for (int i = 1; i <= 100; ++i) {
        metrics::Sample s;
        s.response_us = i * 1000;
        if (i > 97) {
            s.outcome = metrics::Outcome::http_5xx;
            s.owner = metrics::Owner::upstream;
            s.upstream_failed = true;
        }
        s.input_tokens = 2;
        tally.add(s);
    }
    const json::Value data = overview(tally);
    CHECK(data.find("request_count_sla")->as_int() == 100);
    CHECK(data.find("success_count")->as_int() == 97);
    CHECK(data.find("error_count_sla")->as_int() == 3);
    CHECK(data.find("sla")->as_double() == 0.97);
    CHECK(data.find("sla_percent")->as_double() == 97.0);
    CHECK(data.find("error_rate_percent")->as_double() == 3.0);
    CHECK(data.find("upstream_error_rate_percent")->as_double() == 3.0);
    CHECK(data.find_path("duration.p50_ms")->as_double() == 49.023);
    CHECK(data.find_path("ttft.p99_ms")->is_null());
    CHECK(data.find("token_consumed")->as_int() == 200);
    const auto read = metrics::read_block(*data.find("metrics"));
    REQUIRE(read);
    json::Writer a, b;
    metrics::write_block(a, *read);
    metrics::write_block(b, tally);
    CHECK(a.text() == b.text());
}

TEST_CASE("an idle window has null rates and null percentiles, not zeros") {
    const json::Value data = overview(metrics::Tally(metrics::Bounds::standard()));
    for (const char* name : {"sla", "sla_percent", "error_rate", "error_rate_percent", "upstream_error_rate"}) {
        CAPTURE(name);
        CHECK(data.find(name)->is_null());
    }
    CHECK(data.find_path("duration.p99_ms")->is_null());
    CHECK(data.find("request_count_sla")->as_int() == 0);
}
