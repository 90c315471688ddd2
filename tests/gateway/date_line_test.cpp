#include "gateway/date_line.hpp"

#include <doctest/doctest.h>

#include "core/units.hpp"

using namespace oai;
using namespace std::chrono_literals;

namespace {

/// Counts how often it is asked.
struct CountingClock final : core::Clock {
    core::TimePoint now() const noexcept override { return manual.now(); }
    core::WallTime wall_now() const noexcept override {
        ++reads;
        return manual.wall_now();
    }
    core::ManualClock manual;
    mutable int reads = 0;
};

}  // namespace

TEST_CASE("the date of answers is made once per second, and follows the wall clock") {
    CountingClock clock;
    clock.manual.set_wall(*core::parse_rfc3339("2026-02-12T09:00:00.25Z"));
    gateway::DateLine line(clock);
    struct Row {
        const char* name;
        std::chrono::milliseconds later;
        const char* want;
        int reads;
    };
    const Row rows[] = {
        {"the first", 0ms, "date: Thu, 12 Feb 2026 09:00:00 GMT\r\n", 1},
        {"within the same second", 749ms, "date: Thu, 12 Feb 2026 09:00:00 GMT\r\n", 1},
        {"the next second, on time", 1ms, "date: Thu, 12 Feb 2026 09:00:01 GMT\r\n", 2},
        {"just before its end", 999ms, "date: Thu, 12 Feb 2026 09:00:01 GMT\r\n", 2},
        {"after a rest", 60'001ms, "date: Thu, 12 Feb 2026 09:01:02 GMT\r\n", 3},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        clock.manual.advance(row.later);
        CHECK(line.at(clock.now()) == row.want);
        CHECK(clock.reads == row.reads);
    }
    // Somebody set the clock: at the latest a second later that is what answers say.
    clock.manual.set_wall(*core::parse_rfc3339("2026-01-01T00:00:00Z"));
    clock.manual.advance(1s);
    CHECK(line.at(clock.now()) == "date: Thu, 01 Jan 2026 00:00:01 GMT\r\n");
}
