#include "metrics/tally.hpp"

#include <doctest/doctest.h>

using namespace oai::metrics;
using std::chrono::milliseconds;

namespace {

Sample answered(std::int64_t response_us, bool stream = false, std::int64_t ttft_us = -1) {
    return {.response_us = response_us, .ttft_us = ttft_us, .http_status = 200, .stream = stream};
}

template <class T>
void add_mixture(T& tally) {
    for (int i = 0; i < 90; ++i) tally.add(answered(100'000));
    tally.add({.response_us = 200, .outcome = Outcome::incomplete, .token_limited = true});
    tally.add({.response_us = 400'000, .outcome = Outcome::ok, .upstream_failed = true});     // recovered
    tally.add({.response_us = 400'000, .outcome = Outcome::ok, .upstream_throttled = true});  // recovered
    tally.add({.response_us = 500'000, .outcome = Outcome::ok, .late = true});
    tally.add(
        {.outcome = Outcome::http_5xx, .owner = Owner::upstream, .upstream_failed = true, .upstream_throttled = true});
    tally.add({.outcome = Outcome::http_4xx, .owner = Owner::client, .upstream_failed = true});  // leaves every rate
    tally.add({.outcome = Outcome::http_429, .owner = Owner::gateway, .business_limited = true});
    tally.add({.outcome = Outcome::dropped});
}

}  // namespace

TEST_CASE("nothing recorded: rates and percentiles are empty, the identity holds") {
    const Tally tally;
    for (const Rate metric : kRates) CHECK_FALSE(tally.rate(metric));
    for (const Duration metric : kDurations) CHECK_FALSE(tally.histogram(metric).percentile(p99));
    CHECK(tally.counts().identity_holds());
}

TEST_CASE_TEMPLATE("rates are pairs: client errors and our own refusals leave both sides", T, Tally, SlotTally) {
    T tally;
    add_mixture(tally);
    CHECK(tally.counts().offered == 98);
    CHECK(tally.counts().sent == 97);
    CHECK(tally.counts().dropped() == 1);
    CHECK(tally.counts().client_errors == 1);
    CHECK(tally.counts().business_limited == 1);
    CHECK(tally.rate(Rate::error_rate) == Ratio{1, 95});
    CHECK(tally.rate(Rate::upstream_error_rate) == Ratio{2, 95});
    CHECK(tally.rate(Rate::upstream_error_rate, Part::whole, true) == Ratio{3, 95});
    CHECK(tally.rate(Rate::sla) == Ratio{93, 95});      // one failed, one late
    CHECK(tally.rate(Rate::goodput) == Ratio{94, 97});  // of 98 offered, one a client error
    CHECK_FALSE(tally.rate(Rate::error_rate, Part::stream));
    CHECK(tally.rate(Rate::error_rate, Part::non_stream) == Ratio{1, 95});
}

TEST_CASE("without late requests the SLA is what the errors leave") {
    Tally tally;
    for (int i = 0; i < 998; ++i) tally.add(answered(1));
    for (int i = 0; i < 2; ++i) tally.add({.outcome = Outcome::timeout, .owner = Owner::upstream});
    CHECK(tally.rate(Rate::error_rate) == Ratio{2, 1000});
    CHECK(tally.rate(Rate::sla) == Ratio{998, 1000});
}

TEST_CASE("a good request keeps every limit that applies to it") {
    Bounds bounds;
    bounds.require({Duration::ttft, milliseconds{900}}).require({Duration::response, milliseconds{3000}});
    Tally tally(bounds);
    tally.add(answered(3'000'000, true, 900'000));  // equality is within
    tally.add(answered(3'000'000));                 // a non-stream has no TTFT to miss
    tally.add(answered(3'000'000, true, 900'001));
    tally.add(answered(3'000'001));
    tally.add({.outcome = Outcome::http_5xx, .owner = Owner::upstream});
    tally.add({.outcome = Outcome::dropped});
    CHECK(tally.rate(Rate::goodput) == Ratio{2, 6});
}

TEST_CASE("streams and others are kept apart; the whole is their sum") {
    Tally tally;
    tally.add(answered(10, true, 5));
    tally.add(answered(20, true, 15));
    tally.add(answered(30, false, 7));  // a TTFT of a non-stream is nobody's
    tally.add_gap(microseconds{3});
    CHECK(tally.histogram(Duration::response, Part::stream).count() == 2);
    CHECK(tally.histogram(Duration::response, Part::non_stream).count() == 1);
    CHECK(tally.histogram(Duration::response).count() == 3);
    CHECK(tally.histogram(Duration::response).max() == microseconds{30});
    CHECK(tally.histogram(Duration::ttft).count() == 2);
    CHECK(tally.histogram(Duration::ttft, Part::non_stream).count() == 0);
    CHECK(tally.histogram(Duration::gap, Part::stream).count() == 1);
}

TEST_CASE("a TTFT recorded when it came is not recorded again at the end, but still decides goodput") {
    SlotTally first_output, end;
    first_output.record(Duration::ttft, true, microseconds{950'000});
    end.add(answered(2'000'000, true, 950'000), Ttft::recorded_before);
    Tally window;
    window.merge(first_output);
    window.merge(end);
    CHECK(window.histogram(Duration::ttft).count() == 1);
    CHECK(window.rate(Rate::goodput) == Ratio{0, 1});
    CHECK(window.counts().identity_holds());
}

TEST_CASE("a lost sample breaks the accounting identity") {
    Tally tally;
    for (int i = 0; i < 10; ++i) tally.add(answered(1, true));
    tally.add({.outcome = Outcome::dropped, .stream = true});
    CHECK(tally.counts().identity_holds());
    tally.claim(true, 11, 10);
    CHECK(tally.counts().identity_holds());
    tally.claim(true, 12, 11);  // one was sent and never heard of
    CHECK_FALSE(tally.counts().identity_holds());
    tally.claim(true, 12, 10);  // one was offered and neither sent nor dropped
    CHECK_FALSE(tally.counts().identity_holds());
}

TEST_CASE("tallies merge exactly, slots as well as wholes") {
    Tally once, sum;
    SlotTally slots;
    for (int i = 0; i < 3; ++i) {
        add_mixture(once);
        SlotTally slot;
        add_mixture(slot);
        slots.merge(slot);
    }
    sum.merge(slots);
    CHECK(sum.counts() == once.counts());
    CHECK(sum.rate(Rate::goodput) == once.rate(Rate::goodput));
    CHECK(sum.histogram(Duration::response).pinned() == once.histogram(Duration::response).pinned());
    CHECK(sum.histogram(Duration::response).percentile(p99) == once.histogram(Duration::response).percentile(p99));
}

TEST_CASE("goodput of different limits is not added up") {
    Bounds strict;
    strict.require({Duration::response, microseconds{1}});
    Tally a, b(strict), empty;
    a.add(answered(5));
    b.add(answered(5));
    Tally mixed = a;
    mixed.merge(b);
    CHECK_FALSE(mixed.rate(Rate::goodput));
    CHECK_FALSE(mixed.goodput_limits());
    empty.merge(b);
    CHECK(empty.rate(Rate::goodput) == Ratio{0, 1});
    CHECK(empty.goodput_limits() == b.goodput_limits());
    b.merge(Tally{});
    CHECK(b.rate(Rate::goodput) == Ratio{0, 1});
}

TEST_CASE("standard bounds pin the limits of both sets and of the seed's script") {
    const auto pins = [](Duration metric) {
        const auto pinned = Bounds::standard().pinned(metric);
        return std::vector<microseconds>(pinned.begin(), pinned.end());
    };
    CHECK(pins(Duration::ttft) == std::vector<microseconds>{milliseconds{900}, milliseconds{1200}});
    CHECK(pins(Duration::response) == std::vector<microseconds>{milliseconds{3000}, milliseconds{6000}});
    Bounds bounds;
    bounds.pin(Duration::gap, microseconds{5}).pin(Duration::gap, microseconds{3}).pin(Duration::gap, microseconds{5});
    CHECK(bounds.pinned(Duration::gap).size() == 2);
    CHECK(bounds.pinned(Duration::gap)[0] == microseconds{3});
}
