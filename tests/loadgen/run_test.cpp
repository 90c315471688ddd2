#include <algorithm>
#include <thread>
#include <unistd.h>

#include <doctest/doctest.h>

#include "loadgen/baseline.hpp"
#include "loadgen/rereport.hpp"
#include "mock/server.hpp"
#include "small_run.hpp"

using namespace oai;
using metrics::Duration;
using metrics::Outcome;
using metrics::Part;
using std::chrono::milliseconds;

namespace {

std::unique_ptr<mock::Server> start_mock(mock::Behaviour behaviour = {}) {
    mock::ServerOptions options;
    options.behaviour = std::move(behaviour);
    auto server = mock::Server::start(std::move(options));
    REQUIRE(server.has_value());
    return *std::move(server);
}

mock::Behaviour quick() {
    mock::Behaviour behaviour;
    behaviour.ttft = mock::Distribution::constant(milliseconds{5});
    behaviour.gap = mock::Distribution::constant(milliseconds{1});
    behaviour.latency = mock::Distribution::constant(milliseconds{5});
    behaviour.tokens = mock::Distribution::constant(4);
    return behaviour;
}

/// Both kinds at 10 times the baseline's rates.
loadgen::Scenario brisk(milliseconds duration) {
    loadgen::Scenario scenario = loadgen::baseline_scenario();
    scenario.streams[0].rate.milli = 80'000;
    scenario.streams[1].rate.milli = 40'000;
    scenario.duration = duration;
    scenario.timeout = std::chrono::seconds{5};
    return scenario;
}

report::BaselineReport run(const loadgen::Scenario& scenario, const std::string& url,
                           const loadgen::RunOptions& options = {}) {
    const auto target = loadgen::make_target(url, "");
    REQUIRE(target.has_value());
    auto report = loadgen::run(scenario, *target, options);
    REQUIRE(report.has_value());
    return *std::move(report);
}

bool has_reason(const report::BaselineReport& report, std::string_view word) {
    return std::any_of(report.generator.reasons.begin(), report.generator.reasons.end(),
                       [&](const std::string& reason) { return reason.starts_with(word); });
}

}  // namespace

TEST_CASE("a run sends every arrival of its plan, and only streams have a TTFT") {
    const auto mock = start_mock(quick());
    for (const unsigned workers : {1U, 2U}) {
        CAPTURE(workers);
        const report::BaselineReport report = run(brisk(milliseconds{200}), mock->url(), {.workers = workers});
        const metrics::Counts counts = report.tally.counts();
        CHECK(counts.offered == 24);
        CHECK(report.tally.counts(Part::stream).offered == 8);
        CHECK(counts.sent == 24);
        CHECK(counts.outcome(Outcome::ok) + counts.outcome(Outcome::incomplete) == 24);
        CHECK(counts.identity_holds());
        CHECK(report.tally.histogram(Duration::ttft).count() == 8);
        CHECK(report.tally.histogram(Duration::ttft, Part::non_stream).count() == 0);
        CHECK(report.tally.histogram(Duration::response).count() == 24);
        CHECK(report.tally.histogram(Duration::ttft).min() >= milliseconds{5});
        CHECK(report.generator.offered == 24);
        CHECK(report.generator.dropped == 0);
        REQUIRE(report.generator.achieved.has_value());
        CHECK(report.generator.achieved->den == 24);
        CHECK(report.generator.lag_p99.has_value());
        CHECK(report.judgement.set == thresholds::target_set().name);
        CHECK(report.planned == milliseconds{200});
        CHECK(report.real >= milliseconds{150});
    }
}

TEST_CASE("a run that was to make no streams is judged without their limits, and can pass") {
    const auto mock = start_mock(quick());
    for (const bool stream : {false, true}) {
        CAPTURE(stream);
        loadgen::Scenario scenario = brisk(milliseconds{500});
        std::erase_if(scenario.streams, [&](const loadgen::ArrivalStream& s) { return s.stream != stream; });
        const report::BaselineReport report = run(scenario, mock->url());
        for (const thresholds::RuleResult& result : report.judgement.rules) {
            const bool off = !stream && result.rule.limit.subject() == "ttft.p99";
            CHECK((result.state == thresholds::RuleState::off) == off);
        }
        const std::string verdict = thresholds::verdict_line(report.judgement);
        CHECK(verdict == (stream ? "verdict=PASS exit=0 rules=4" : "verdict=PASS exit=0 rules=4 off=ttft.p99"));
        const std::string text = report::write_terminal(report, {});
        CHECK((text.find("not applicable") != std::string::npos) == !stream);
    }
}

TEST_CASE("an arrival beyond the limit in flight is dropped, counted, and makes the run invalid") {
    mock::Behaviour slow = quick();
    slow.latency = mock::Distribution::constant(milliseconds{60});
    slow.ttft = mock::Distribution::constant(milliseconds{60});
    const auto mock = start_mock(slow);
    loadgen::Scenario scenario = brisk(milliseconds{100});
    scenario.max_in_flight = 2;
    const report::BaselineReport report = run(scenario, mock->url());
    const metrics::Counts counts = report.tally.counts();
    CHECK(counts.offered == 12);
    CHECK(counts.dropped() >= 1);
    CHECK(counts.sent + counts.dropped() == counts.offered);
    CHECK(counts.identity_holds());
    CHECK(report.generator.dropped == counts.dropped());
    CHECK_FALSE(report.generator.valid);
    CHECK(has_reason(report, "dropped"));
    CHECK(report::exit_code(report) == 3);
    CHECK(loadgen::last_line(report).find("verdict=INCONCLUSIVE exit=3") == 0);
    CHECK(loadgen::last_line(report).find(" invalid=") != std::string::npos);
}

TEST_CASE("a target that dies in mid-run leaves a whole account of it") {
    const auto mock = start_mock(quick());
    std::thread killer([&] {
        while (mock->counters().answered < 3) std::this_thread::sleep_for(milliseconds{1});
        mock->stop();
    });
    const report::BaselineReport report = run(brisk(milliseconds{300}), mock->url());
    killer.join();
    const metrics::Counts counts = report.tally.counts();
    CHECK(counts.offered == 36);
    CHECK(counts.identity_holds());
    CHECK(counts.outcome(Outcome::ok) + counts.outcome(Outcome::incomplete) >= 1);
    CHECK(counts.outcome(Outcome::connect_error) >= 1);
    CHECK(report.judgement.verdict == thresholds::Verdict::breach);
}

TEST_CASE("a stopped run ends at once: what is in flight is censored, and it is inconclusive") {
    mock::Behaviour hung = quick();
    hung.latency = mock::Distribution::constant(std::chrono::minutes{1});
    hung.ttft = mock::Distribution::constant(std::chrono::minutes{1});
    const auto mock = start_mock(hung);
    std::atomic<bool> stop{false};
    std::thread stopper([&] {
        std::this_thread::sleep_for(milliseconds{200});
        stop = true;
    });
    const auto begin = std::chrono::steady_clock::now();
    const report::BaselineReport report = run(brisk(std::chrono::seconds{60}), mock->url(), {.stop = &stop});
    stopper.join();
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{2});
    const metrics::Counts counts = report.tally.counts();
    CHECK(counts.offered >= 2);
    CHECK(counts.outcome(Outcome::censored) == counts.sent);
    CHECK(counts.identity_holds());
    CHECK(has_reason(report, "interrupted"));
    CHECK(report::exit_code(report) == 3);
    CHECK(report.tally.histogram(Duration::response_penalised).count() == counts.sent);
}

TEST_CASE("progress is told while it runs") {
    const auto mock = start_mock(quick());
    std::vector<loadgen::Progress> told;
    run(brisk(milliseconds{250}), mock->url(),
        {.on_progress = [&](const loadgen::Progress& p) { told.push_back(p); }, .progress_every = milliseconds{100}});
    REQUIRE_FALSE(told.empty());
    CHECK(told[0].elapsed >= milliseconds{100});
    CHECK(told[0].offered >= 1);
    for (const loadgen::Progress& progress : told) {
        CHECK(progress.planned == milliseconds{250});
        CHECK(progress.failed == 0);
    }
}

TEST_CASE("a scenario that cannot be run makes no folder and no file") {
    loadgen::Scenario scenario = brisk(milliseconds{10});
    scenario.streams.clear();
    const auto target = loadgen::make_target("http://127.0.0.1:1", "");
    const std::filesystem::path out =
        std::filesystem::temp_directory_path() / ("oai-none-" + std::to_string(::getpid()));
    CHECK_FALSE(loadgen::run_baseline(scenario, *target, {}, out).has_value());
    CHECK_FALSE(std::filesystem::exists(out));
}
