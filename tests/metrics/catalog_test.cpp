#include "metrics/catalog.hpp"

#include <set>
#include <string>

#include <doctest/doctest.h>

using namespace oai::metrics;

TEST_CASE("every metric has a name of its own, a unit and a meaning, and is found by its name") {
    std::set<std::string_view> names;
    for (const Duration metric : kDurations) {
        CAPTURE(name_of(metric));
        CHECK(names.insert(name_of(metric)).second);
        CHECK(find_duration(name_of(metric)) == metric);
        CHECK(unit_of(metric) == "us");
        CHECK_FALSE(meaning_of(metric).empty());
    }
    for (const Rate metric : kRates) {
        CAPTURE(name_of(metric));
        CHECK(names.insert(name_of(metric)).second);
        CHECK(find_rate(name_of(metric)) == metric);
        CHECK(unit_of(metric) == "ratio");
        CHECK_FALSE(meaning_of(metric).empty());
    }
    CHECK_FALSE(find_duration("sla"));
    CHECK_FALSE(find_rate("ttft"));
    CHECK_FALSE(find_duration(""));
}

TEST_CASE("the order of the catalog is the order of every document") {
    std::string order;
    for (const Duration metric : kDurations) order += std::string(name_of(metric)) + " ";
    for (const Rate metric : kRates) order += std::string(name_of(metric)) + " ";
    CHECK(order ==
          "response response_penalised service ttfb ttfe ttft tpot gap queue overhead error_rate upstream_error_rate "
          "sla goodput ");
    CHECK(better_of(Rate::error_rate) == Better::lower);
    CHECK(better_of(Rate::upstream_error_rate) == Better::lower);
    CHECK(better_of(Rate::sla) == Better::higher);
    CHECK(better_of(Rate::goodput) == Better::higher);
}
