#include "report/exact.hpp"

#include <doctest/doctest.h>

namespace oai::report {
namespace {

using metrics::Duration;
using metrics::Part;

const ExactRow* find(const std::vector<ExactRow>& rows, Part part, Duration metric) {
    for (const ExactRow& row : rows) {
        if (row.part == part && row.metric == metric) return &row;
    }
    return nullptr;
}

TEST_CASE("exact percentiles are nearest ranks of the raw values, of each part and of both together") {
    ExactPercentiles exact;
    CHECK(exact.rows().empty());
    for (int i = 1; i <= 100; ++i) {
        metrics::Sample sample;
        sample.stream = i > 60;
        sample.response_us = 100'000 + i;  // all of one bucket of the histogram
        if (sample.stream) sample.ttft_us = 5'000 + i;
        exact.add(sample);
    }
    exact.add(metrics::Gap{.gap_us = 77});
    const std::vector<ExactRow> rows = exact.rows();
    const ExactRow* whole = find(rows, Part::whole, Duration::response);
    REQUIRE(whole != nullptr);
    CHECK(whole->n == 100);
    CHECK(whole->us == std::array<std::int64_t, 5>{100'050, 100'090, 100'095, 100'099, 100'100});
    CHECK(find(rows, Part::stream, Duration::response)->n == 40);
    CHECK(find(rows, Part::non_stream, Duration::response)->us[4] == 100'060);
    CHECK(find(rows, Part::stream, Duration::ttft)->us[0] == 5'080);
    CHECK(find(rows, Part::non_stream, Duration::ttft) == nullptr);
    CHECK(find(rows, Part::stream, Duration::gap)->us[0] == 77);
    CHECK(exact.rows() == rows);
}

}  // namespace
}  // namespace oai::report
