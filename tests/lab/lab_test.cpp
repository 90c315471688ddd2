#include "lab/lab.hpp"

#include <doctest/doctest.h>

#include "loadgen/driver.hpp"

using namespace oai;

TEST_CASE("load through an embedded gateway and upstream: every request is answered and the identity holds") {
    lab::LabOptions options;
    options.upstream = mock::Behaviour{};
    core::Result<loadgen::Embedded> embedded = lab::start(options);
    REQUIRE(embedded);
    loadgen::Scenario scenario = loadgen::baseline_scenario();
    scenario.duration = std::chrono::milliseconds{500};
    const core::Result<report::BaselineReport> report = loadgen::run(scenario, embedded->target, loadgen::RunOptions{});
    REQUIRE(report);
    const metrics::Counts counts = report->tally.counts();
    CHECK(counts.sent == 6);
    CHECK(counts.failed == 0);
    CHECK(counts.identity_holds());
    CHECK(report->tally.histogram(metrics::Duration::ttft).count() == 2);
}
