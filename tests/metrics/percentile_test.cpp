#include "metrics/percentile.hpp"

#include <fstream>
#include <iterator>
#include <string>

#include <doctest/doctest.h>

#include "json/value.hpp"
#include "metrics/histogram.hpp"

using namespace oai::metrics;
using oai::json::Value;

namespace {

const Value& vectors() {
    static const Value document = [] {
        std::ifstream file(std::string(OAI_SOURCE_DIR) + "/tests/metrics/percentiles.json");
        const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
        return Value::parse(text).value();
    }();
    return document;
}

std::vector<std::int64_t> integers(const Value& array) {
    std::vector<std::int64_t> values;
    for (const Value& item : array.items()) values.push_back(item.as_int().value());
    return values;
}

template <class H>
H histogram_of(const std::vector<std::int64_t>& values) {
    H histogram;
    for (const std::int64_t us : values) histogram.record(microseconds{us});
    return histogram;
}

/// What a histogram must show for the exact value `us`: the top of its bucket, not above the maximum.
std::int64_t shown(std::int64_t us, std::int64_t max) {
    return std::min(layout::bucket_top(layout::bucket_index(us)), max);
}

/// Checks raw values, and a histogram of the same values, against the "expect" of a vector.
template <class H>
void check_expected(const Value& expect, std::vector<std::int64_t> values, const H& histogram) {
    REQUIRE(expect.members().size() == kShownPercentiles.size());
    for (const Percentile p : kShownPercentiles) {
        CAPTURE(name_of(p));
        const Value* want = expect.find(name_of(p));
        REQUIRE(want != nullptr);
        const auto raw = percentile_of(values, p);
        const auto of_histogram = histogram.percentile(p);
        if (want->is_null()) {
            CHECK_FALSE(raw);
            CHECK_FALSE(of_histogram);
            continue;
        }
        CHECK(raw == want->as_int());
        REQUIRE(of_histogram);
        CHECK(of_histogram->count() == shown(*want->as_int(), histogram.max()->count()));
        // Decisions are exact wherever the limit is pinned, bucket tops or not.
        for (const std::int64_t off : {-1, 0, 1}) {
            const microseconds limit{*want->as_int() + off};
            const std::vector<microseconds> pins{limit};
            H pinned(pins);
            for (const std::int64_t us : values) pinned.record(microseconds{us});
            const bool holds = pinned.count_at_or_below(limit).count >= rank(p, values.size());
            CHECK(holds == (*want->as_int() <= limit.count()));
        }
    }
}

}  // namespace

TEST_CASE("all reference vectors: raw, dense and sparse") {
    REQUIRE(vectors().find("cases")->items().size() == 14);
    for (const Value& one : vectors().find("cases")->items()) {
        CAPTURE(*one.find("id")->as_string());
        const std::vector<std::int64_t> values = integers(*one.find("input"));
        CHECK(static_cast<std::int64_t>(values.size()) == one.find("n")->as_int());
        const Histogram dense = histogram_of<Histogram>(values);
        CHECK((dense.max() ? std::optional(dense.max()->count()) : std::nullopt) == one.find("max")->as_int());
        check_expected(*one.find("expect"), values, dense);
        check_expected(*one.find("expect"), values, histogram_of<SparseHistogram>(values));
    }
}

TEST_CASE("all reference merges: shards give what the pooled samples give") {
    REQUIRE(vectors().find("merges")->items().size() == 3);
    for (const Value& one : vectors().find("merges")->items()) {
        CAPTURE(*one.find("id")->as_string());
        std::vector<std::int64_t> pooled;
        Histogram from_dense, from_sparse;
        SparseHistogram sparse;
        for (const Value& shard : one.find("shards")->items()) {
            const std::vector<std::int64_t> values = integers(shard);
            pooled.insert(pooled.end(), values.begin(), values.end());
            from_dense.merge(histogram_of<Histogram>(values));
            from_sparse.merge(histogram_of<SparseHistogram>(values));
            sparse.merge(histogram_of<SparseHistogram>(values));
        }
        CHECK(static_cast<std::int64_t>(pooled.size()) == one.find("n")->as_int());
        check_expected(*one.find("expect"), pooled, from_dense);
        check_expected(*one.find("expect"), pooled, from_sparse);
        check_expected(*one.find("expect"), pooled, sparse);
    }
}

TEST_CASE("the rank is an integer ceiling, never below one") {
    struct Row {
        Percentile p;
        std::uint64_t n, want;
    };
    const Row rows[] = {
        {p50, 1, 1},           {p50, 2, 1},
        {p99, 100, 99},        {p99, 101, 100},
        {p999, 1000, 999},     {p999, 999, 999},
        {kMaximum, 7, 7},      {p99, 0, 1},
        {Percentile{1}, 5, 1}, {p99, 1'000'000'000'000, 990'000'000'000},
    };
    for (const Row& row : rows) {
        CAPTURE(row.n);
        CAPTURE(row.p.milli);
        CHECK(rank(row.p, row.n) == row.want);
    }
}

TEST_CASE("percentiles have one name each") {
    struct Row {
        const char* text;
        std::uint32_t milli;
    };
    for (const Row& row : {Row{"p50", 50'000}, Row{"p99", 99'000}, Row{"p99.9", 99'900}, Row{"p99.99", 99'990},
                           Row{"p99.999", 99'999}, Row{"p5", 5'000}, Row{"p0.5", 500}, Row{"max", 100'000}}) {
        CAPTURE(row.text);
        REQUIRE(parse_percentile(row.text));
        CHECK(parse_percentile(row.text)->milli == row.milli);
        CHECK(name_of(Percentile{row.milli}) == row.text);
    }
    for (const char* text :
         {"", "p", "p0", "p100", "p99.", "p.9", "p99.9999", "p99..9", "99", "P99", "avg", "p9x", "p-1", "p 9"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_percentile(text));
    }
}
