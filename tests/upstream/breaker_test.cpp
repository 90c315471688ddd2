#include "upstream/breaker.hpp"

#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "upstream/ewma.hpp"

using namespace oai;
using namespace oai::upstream;
using namespace std::chrono_literals;

namespace {

core::TimePoint at(std::chrono::nanoseconds since) {
    return core::TimePoint{} + 1h + since;
}

struct Site {
    BreakerSettings settings;
    Breaker breaker;

    /// One request: "." goes and succeeds, "x" goes and fails, anything that may not go is '-'.
    char send(char want, std::chrono::nanoseconds when) {
        bool probe = false;
        if (!breaker.enter(at(when), probe)) return '-';
        if (want == '.') breaker.success(settings, at(when), probe);
        if (want == 'x') breaker.failure(settings, at(when), probe);
        return want;
    }
    std::string send(std::string_view wants, std::chrono::nanoseconds when = 0ns) {
        std::string went;
        for (const char want : wants) went += send(want, when);
        return went;
    }
};

}  // namespace

TEST_CASE("a breaker opens on a failure ratio over its window, or on failures in a row") {
    struct Row {
        const char* name;
        std::int64_t ratio_bp;
        std::uint32_t row;
        const char* requests;
        Breaker::State want;
    };
    const Row rows[] = {
        {"no failure", 5000, 5, "..........", Breaker::State::closed},
        {"two failures are too few to mean anything", 5000, 5, "xx", Breaker::State::closed},
        {"three failures of three", 5000, 5, "xxx", Breaker::State::open},
        {"exactly half", 5000, 5, "..xx", Breaker::State::open},
        {"just below half", 5000, 5, "...xx", Breaker::State::closed},
        {"in a row, the ratio switched off", 0, 5, ".........xxxxx", Breaker::State::open},
        {"not quite in a row", 0, 5, "xxxx.xxxx", Breaker::State::closed},
        {"both switched off", 0, 0, "xxxxxxxxxx", Breaker::State::closed},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        Site site;
        site.settings.failure_ratio_bp = row.ratio_bp;
        site.settings.consecutive_failures = row.row;
        site.send(row.requests);
        CHECK(site.breaker.state(at(0ns)) == row.want);
    }
}

TEST_CASE("requests leave the window with their slice") {
    Site site;
    site.settings.consecutive_failures = 0;
    site.send("......", 0s);
    site.send("x", 5s);
    CHECK(site.breaker.state(at(5s)) == Breaker::State::closed);  // 1 of 7
    site.send("xx", 11s);                                         // the six are gone: 3 of 3
    CHECK(site.breaker.state(at(11s)) == Breaker::State::open);

    Site slow;
    slow.settings.consecutive_failures = 0;
    for (int i = 0; i < 20; ++i) slow.send("x", i * 11s);
    CHECK(slow.breaker.state(at(220s)) == Breaker::State::closed);  // one at a time is never three
}

TEST_CASE("an open breaker lets nothing through, then one probe at a time, and closes after enough of them") {
    Site site;
    CHECK(site.send("xxx.", 0s) == "xxx-");
    CHECK(site.send(".", 1999ms) == "-");
    bool first = false, second = false;
    CHECK(site.breaker.enter(at(2s), first));
    CHECK(first);
    CHECK_FALSE(site.breaker.enter(at(2s), second));  // the probe is on its way
    site.breaker.success(site.settings, at(2s), first);
    CHECK(site.breaker.state(at(2s)) == Breaker::State::half_open);
    CHECK(site.send(".", 2s) == ".");
    CHECK(site.breaker.state(at(2s)) == Breaker::State::closed);
    CHECK(site.send("xx..", 2s) == "xx..");  // with a clean window
}

TEST_CASE("each failed probe doubles the cooldown, up to the longest; closing begins anew") {
    Site site;
    site.send("xxx", 0s);
    std::chrono::nanoseconds now = 2s;
    for (const std::chrono::seconds want : {4s, 8s, 16s, 32s, 60s, 60s}) {
        CHECK(site.send("x", now) == "x");
        CHECK(site.send(".", now + want - 1ms) == "-");
        now += want;
    }
    CHECK(site.send("..", now) == "..");
    site.send("xxx", now);
    CHECK(site.send(".", now + 2s) == ".");
}

TEST_CASE("a probe whose caller left makes room for another") {
    Site site;
    site.send("xxx", 0s);
    bool probe = false;
    REQUIRE(site.breaker.enter(at(2s), probe));
    site.breaker.forget(probe);
    CHECK(site.send(".", 2s) == ".");
}

TEST_CASE("requests that began before it opened do not close it or open it longer") {
    Site site;
    site.send("xxx", 0s);
    site.breaker.success(site.settings, at(1s), false);
    CHECK(site.breaker.state(at(1s)) == Breaker::State::open);
    site.breaker.failure(site.settings, at(1s), false);
    CHECK(site.breaker.open_until() == at(2s));
}

TEST_CASE("an EWMA begins with its first sample and follows the later ones; no sample of any thread is lost") {
    Ewma mean;
    CHECK_FALSE(mean.value());
    mean.add(100);
    CHECK(mean.value() == doctest::Approx(100));
    mean.add(200);
    CHECK(mean.value() == doctest::Approx(120));
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n < 1000; ++n) mean.add(1);
        });
    for (std::thread& thread : threads) thread.join();
    CHECK(mean.value() == doctest::Approx(1));
}
