#include "loadgen/arrivals.hpp"

#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

using oai::loadgen::Arrival;
using oai::loadgen::Arrivals;
using oai::loadgen::grid_offset;
using oai::loadgen::nanoseconds;
using oai::loadgen::parse_rate;
using oai::loadgen::Rate;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

std::vector<Arrival> all(const std::vector<Rate>& rates, nanoseconds duration) {
    Arrivals arrivals(rates, duration);
    std::vector<Arrival> list;
    while (const std::optional<Arrival> next = arrivals.next()) list.push_back(*next);
    return list;
}

}  // namespace

TEST_CASE("a run has the arrivals before its end, and none at it") {
    struct Row {
        const char* name;
        std::vector<Rate> rates;
        nanoseconds duration;
        std::vector<std::size_t> want;  // per stream
    };
    const Row rows[] = {
        {"the baseline for 20 s", {Rate{8000}, Rate{4000}}, seconds{20}, {160, 80}},
        {"the baseline for 3 min", {Rate{8000}, Rate{4000}}, seconds{180}, {1440, 720}},
        {"half a request per second", {Rate{500}}, seconds{20}, {10}},
        {"a period that is no whole number of nanoseconds", {Rate{3000}}, seconds{10}, {30}},
        {"the slot at the end is not part of it", {Rate{1000}}, seconds{1}, {1}},
        {"one nanosecond more and it is", {Rate{1000}}, seconds{1} + nanoseconds{1}, {2}},
        {"a run shorter than the period has its first arrival", {Rate{500}}, milliseconds{1}, {1}},
        {"a rate of 0 is no stream", {Rate{0}, Rate{1000}}, seconds{2}, {0, 2}},
        {"no rates, no arrivals", {}, seconds{2}, {}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        std::vector<std::size_t> counts(row.rates.size());
        for (const Arrival& arrival : all(row.rates, row.duration)) {
            CHECK(arrival.number == counts[arrival.stream]);
            CHECK(arrival.offset < row.duration);
            ++counts[arrival.stream];
        }
        CHECK(counts == row.want);
    }
}

TEST_CASE("streams are merged in the order of time, and of the streams at the same instant") {
    const std::vector<Arrival> merged = all({Rate{8000}, Rate{4000}}, milliseconds{400});
    const std::vector<Arrival> want = {{milliseconds{0}, 0, 0},   {milliseconds{0}, 1, 0},   {milliseconds{125}, 0, 1},
                                       {milliseconds{250}, 0, 2}, {milliseconds{250}, 1, 1}, {milliseconds{375}, 0, 3}};
    CHECK(merged == want);
}

TEST_CASE("the grid does not drift") {
    struct Row {
        const char* name;
        Rate rate;
        std::uint64_t i;
        std::int64_t want_ns;
    };
    const Row rows[] = {
        {"first", Rate{8000}, 0, 0},
        {"8 rps", Rate{8000}, 1, 125'000'000},
        {"a million arrivals of 8 rps", Rate{8000}, 1'000'000, 125'000'000'000'000},
        {"3 rps, one third", Rate{3000}, 1, 333'333'333},
        {"3 rps, two thirds: floored, not twice the floor", Rate{3000}, 2, 666'666'666},
        {"3 rps, a million and a bit: whole again", Rate{3000}, 1'000'002, 333'334'000'000'000},
        {"7 rps, a million sevens", Rate{7000}, 7'000'000, 1'000'000'000'000'000},
        {"0.5 rps", Rate{500}, 3, 6'000'000'000},
        {"0.001 rps for a year", Rate{1}, 31'536, 31'536'000'000'000'000},
        {"a million per second", Rate{Rate::kMostMilli}, 999'999'999, 999'999'999'000},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        CHECK(grid_offset(row.rate, row.i).count() == row.want_ns);
    }
}

TEST_CASE("each of a million slots is the floor of its number over the rate") {
    std::uint64_t wrong = 0;
    for (std::uint64_t i = 0; i < 1'000'000; ++i) {
        const auto exact = static_cast<std::int64_t>(static_cast<unsigned __int128>(i) * 1'000'000'000'000U / 7'013U);
        if (grid_offset(Rate{7013}, i).count() != exact) ++wrong;
    }
    CHECK(wrong == 0);
}

TEST_CASE("a rate is decimal requests per second") {
    struct Row {
        const char* text;
        std::optional<std::uint64_t> want_milli;
    };
    const Row rows[] = {{"8", 8000},
                        {"0.5", 500},
                        {"12.25", 12'250},
                        {"0.001", 1},
                        {"0", 0},
                        {"1000000", Rate::kMostMilli},
                        {"1000000.001", {}},
                        {"0.0001", {}},
                        {".5", {}},
                        {"5.", {}},
                        {"", {}},
                        {"-1", {}},
                        {"8 rps", {}},
                        {"1e3", {}},
                        {"1.2.3", {}},
                        {"99999999999999999999", {}}};
    for (const Row& row : rows) {
        CAPTURE(row.text);
        const auto rate = parse_rate(row.text);
        CHECK(rate.has_value() == row.want_milli.has_value());
        if (rate && row.want_milli) CHECK(rate->milli == *row.want_milli);
        if (!rate) CHECK(rate.error().detail.find("\"" + std::string(row.text) + "\"") != std::string::npos);
    }
    CHECK(oai::loadgen::format_rate(Rate{8000}) == "8");
    CHECK(oai::loadgen::format_rate(Rate{12'250}) == "12.25");
    CHECK(oai::loadgen::format_rate(Rate{1}) == "0.001");
}
