#include "ops/collector.hpp"

#include <thread>

#include <doctest/doctest.h>

using namespace oai;
using namespace oai::ops;
using namespace std::chrono_literals;

namespace {

SeriesKey key(std::string version) {
    return SeriesKey{.platform = "openai",
                     .provider = "llm/openai",
                     .version = std::move(version),
                     .model = "gpt-5",
                     .endpoint = "responses",
                     .group = ""};
}

metrics::Sample sample(SeriesId series) {
    metrics::Sample s;
    s.response_us = 1000;
    s.stream_id = series;
    return s;
}

std::uint64_t sent(Collector& collector, const core::Clock& clock, Filter filter) {
    return collector.query(filter, clock.wall_now() - 5min, clock.wall_now() + 1s).tally->counts().sent;
}

}  // namespace

TEST_CASE("finished requests are found by their labels, at once") {
    core::ManualClock clock;
    Collector collector(clock);
    Collector::Intake& intake = collector.add_intake();
    const SeriesId v1 = collector.series(key("v1")), v2 = collector.series(key("v2"));
    CHECK(v1 != v2);
    CHECK(collector.series(key("v1")) == v1);
    for (int i = 0; i < 3; ++i) intake.add(clock.now(), sample(v1));
    intake.add(clock.now(), sample(v2));
    CHECK(sent(collector, clock, {}) == 4);
    CHECK(sent(collector, clock, Filter{.version = "v1"}) == 3);
    CHECK(sent(collector, clock, Filter{.version = "v3"}) == 0);
    CHECK(sent(collector, clock, Filter{.platform = "openai", .model = "gpt-5", .endpoint = "responses"}) == 4);
    CHECK(sent(collector, clock, Filter{.platform = "anthropic"}) == 0);
}

TEST_CASE("attempts count for the version of their account, requests for theirs") {
    core::ManualClock clock;
    Collector collector(clock);
    Collector::Intake& intake = collector.add_intake();
    const SeriesId v1 = collector.series(key("v1")), v2 = collector.series(key("v2"));
    intake.add(clock.now(), sample(v1));
    intake.add_attempts(clock.now(), v1, {.count = 2, .failed = 2});
    intake.add_attempts(clock.now(), v2, {.stream = true, .count = 1});
    const auto counts = [&](std::string version) {
        const Filter filter{.version = std::move(version)};
        return collector.query(filter, clock.wall_now() - 5min, clock.wall_now() + 1s).tally->counts();
    };
    CHECK(counts("v1").attempts == 2);
    CHECK(counts("v1").attempt_failures == 2);
    CHECK(counts("v2").attempts == 1);
    CHECK(counts("v2").attempt_failures == 0);
    CHECK(counts("v2").sent == 0);
    CHECK(counts("").attempts == 3);
}

TEST_CASE("a step of the wall clock moves nothing") {
    core::ManualClock clock;
    Collector collector(clock);
    Collector::Intake& intake = collector.add_intake();
    const SeriesId id = collector.series(key("v1"));
    const core::WallTime before = clock.wall_now();
    clock.set_wall(before - 10h);
    intake.add(clock.now(), sample(id));
    CHECK(collector.query({}, before - 1min, before + 1min).tally->counts().sent == 1);
}

TEST_CASE("nothing is lost when workers are faster than the collector, and none counts twice") {
    Collector collector(core::system_clock());
    constexpr int kEach = 50'000;
    std::vector<std::thread> workers;
    for (int w = 0; w < 2; ++w) {
        workers.emplace_back([&collector, w] {
            Collector::Intake& intake = collector.add_intake();
            const SeriesId id = collector.series(key("v" + std::to_string(w)));
            for (int i = 0; i < kEach; ++i) intake.add(core::system_clock().now(), sample(id));
        });
    }
    for (std::thread& worker : workers) worker.join();
    CHECK(sent(collector, core::system_clock(), {}) == 2 * kEach);
    CHECK(sent(collector, core::system_clock(), Filter{.version = "v1"}) == kEach);
}

TEST_CASE("names from outside cannot grow the table without end") {
    core::ManualClock clock;
    Collector collector(clock);
    SeriesId last = 0;
    for (int i = 0; i < 5000; ++i) {
        SeriesKey k = key("v1");
        k.model = "m" + std::to_string(i);
        last = collector.series(k);
    }
    CHECK(last <= 4096);
}
