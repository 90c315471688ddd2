#pragma once

#include <string>

#include <doctest/doctest.h>

#include "loadgen/driver.hpp"

/// A run of few requests: `count` arrivals, 20 ms apart.
struct SmallRun {
    bool stream = false;
    std::string endpoint = "/v1/responses";
    unsigned count = 1;
    std::chrono::milliseconds timeout{2000};
    std::uint32_t max_in_flight = 200;
    std::string api_key = "sk-test-1234567890";
    oai::loadgen::RunOptions options{};

    oai::loadgen::Scenario scenario() const {
        oai::loadgen::Scenario made;
        made.streams = {{.name = stream ? "stream" : "non_stream",
                         .rate = oai::loadgen::Rate{50'000},
                         .stream = stream,
                         .endpoint = endpoint}};
        made.duration = std::chrono::milliseconds{20 * count};
        made.timeout = timeout;
        made.max_in_flight = max_in_flight;
        return made;
    }
    oai::report::BaselineReport against(const std::string& url) const {
        const auto target = oai::loadgen::make_target(url, api_key);
        REQUIRE(target.has_value());
        auto report = oai::loadgen::run(scenario(), *target, options);
        REQUIRE(report.has_value());
        CHECK(report->tally.counts().identity_holds());
        return *std::move(report);
    }
};
