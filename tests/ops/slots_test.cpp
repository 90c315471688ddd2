#include "ops/slots.hpp"

#include <random>

#include <doctest/doctest.h>

#include "json/writer.hpp"
#include "metrics/block.hpp"

using namespace oai;
using namespace oai::ops;

namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kStart = 1'700'000'000 * kSecond;

metrics::Sample sample(std::int64_t response_us, bool stream) {
    metrics::Sample s;
    s.response_us = response_us;
    s.stream = stream;
    if (stream) s.ttft_us = response_us / 2;
    return s;
}

std::string block(const Slots& slots, const Slots::Window& window) {
    metrics::Tally tally(metrics::Bounds::standard());
    slots.visit(window, [&](SeriesId, const metrics::SlotTally& t) { tally.merge(t); });
    json::Writer out;
    metrics::write_block(out, tally);
    return out.take();
}

}  // namespace

TEST_CASE("slots merge to the very block the samples make, at every level and before and after slots close") {
    Slots slots(metrics::Bounds::standard());
    metrics::Tally direct(metrics::Bounds::standard());
    std::mt19937_64 random(11);
    for (int i = 0; i < 3000; ++i) {
        const metrics::Sample s = sample(static_cast<std::int64_t>(random() % 3'000'000), i % 3 == 0);
        const std::int64_t at = kStart + i * (kSecond / 10);  // five minutes
        slots.add(static_cast<SeriesId>(i % 4), at, s);
        direct.add(s);
        if (i % 100 == 0) slots.advance(at);
    }
    const std::int64_t end = kStart + 300 * kSecond;
    json::Writer want;
    metrics::write_block(want, direct);
    for (const std::int64_t now : {end, end + 3 * 3600 * kSecond, end + 3 * 24 * 3600 * kSecond}) {
        slots.advance(now);
        const Slots::Window window = slots.window(kStart, end, now);
        CAPTURE(window.slot.count());
        CHECK(block(slots, window) == want.text());
    }
    CHECK(slots.window(kStart, end, end).slot.count() == 10);
    CHECK(slots.window(kStart, end, end + 3 * 3600 * kSecond).slot.count() == 60);
    CHECK(slots.window(kStart, end, end + 3 * 24 * 3600 * kSecond).slot.count() == 600);
}

TEST_CASE("a window is rounded outward to slots, and what lies outside is not in it") {
    Slots slots(metrics::Bounds::standard());
    slots.add(0, kStart + 5 * kSecond, sample(1, false));
    slots.add(0, kStart + 15 * kSecond, sample(2, false));
    slots.add(0, kStart + 25 * kSecond, sample(3, false));
    const Slots::Window window = slots.window(kStart + 12 * kSecond, kStart + 18 * kSecond, kStart + 30 * kSecond);
    CHECK(window.start_us == kStart + 10 * kSecond);
    CHECK(window.end_us == kStart + 20 * kSecond);
    int seen = 0;
    slots.visit(window, [&](SeriesId, const metrics::SlotTally& t) { seen += static_cast<int>(t.counts().sent); });
    CHECK(seen == 1);
}

TEST_CASE("a sample that comes after its slot closed is in the coarse slots too") {
    Slots slots(metrics::Bounds::standard());
    slots.advance(kStart + 100 * kSecond);
    slots.add(0, kStart, sample(1, false));
    const std::int64_t later = kStart + 2 * 3600 * kSecond;
    slots.advance(later);
    const Slots::Window window = slots.window(kStart, kStart + kSecond, later);
    CHECK(window.slot.count() == 60);
    int seen = 0;
    slots.visit(window, [&](SeriesId, const metrics::SlotTally& t) { seen += static_cast<int>(t.counts().sent); });
    CHECK(seen == 1);
}

TEST_CASE("what is older than its level keeps is forgotten") {
    Slots slots(metrics::Bounds::standard());
    slots.add(0, kStart, sample(1, false));
    const std::int64_t later = kStart + std::int64_t{31} * 24 * 3600 * kSecond;
    slots.advance(later);
    int seen = 0;
    slots.visit(slots.window(kStart, later, later), [&](SeriesId, const metrics::SlotTally&) { ++seen; });
    CHECK(seen == 0);
}

TEST_CASE("a slot that was forgotten begins anew when a late sample comes") {
    Slots slots(metrics::Bounds::standard());
    slots.add(0, kStart, sample(1, false));
    const std::int64_t later = kStart + 2 * 3600 * kSecond;
    slots.advance(later);
    slots.add(0, kStart, sample(1, false));
    int seen = 0;
    slots.visit(slots.window(kStart, kStart + kSecond, later),
                [&](SeriesId, const metrics::SlotTally& t) { seen += static_cast<int>(t.counts().sent); });
    CHECK(seen == 2);
}
