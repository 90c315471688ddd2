#include "ops/collector.hpp"

namespace oai::ops {

using std::chrono::microseconds;

namespace {

constexpr std::size_t kMostSeries = 4096;

std::int64_t epoch_us(core::WallTime at) noexcept {
    return std::chrono::floor<microseconds>(at.time_since_epoch()).count();
}

core::WallTime wall_of(std::int64_t us) noexcept {
    return core::WallTime{std::chrono::duration_cast<core::WallTime::duration>(microseconds{us})};
}

}  // namespace

Collector::Collector(const core::Clock& clock, const metrics::Bounds& bounds)
    : clock_(clock), steady_start_(clock.now()), wall_start_(clock.wall_now()), bounds_(bounds), slots_(bounds) {}

Collector::~Collector() = default;

Collector::Intake& Collector::add_intake() {
    const std::lock_guard lock(mutex_);
    return *intakes_.emplace_back(new Intake(*this));
}

void Collector::Intake::add(core::TimePoint at, const metrics::Sample& sample) {
    const Finished finished{collector_.wall_us(at), sample};
    while (!finished_.push(finished)) collector_.drain();
}

void Collector::Intake::add_attempts(core::TimePoint at, SeriesId series, const metrics::Attempts& attempts) {
    const Attempted attempted{collector_.wall_us(at), series, attempts};
    while (!attempted_.push(attempted)) collector_.drain();
}

void Collector::Intake::add_gap(core::TimePoint at, SeriesId series, microseconds gap) {
    const metrics::Gap record{.at_us = collector_.wall_us(at), .gap_us = gap.count(), .stream_id = series};
    while (!gaps_.push(record)) collector_.drain();
}

SeriesId Collector::series(const SeriesKey& key) {
    const std::lock_guard lock(mutex_);
    if (const auto found = ids_.find(key); found != ids_.end()) return found->second;
    SeriesKey kept = key;
    if (keys_.size() >= kMostSeries) {
        // Names come from outside: without a bound a caller could fill the memory with them.
        kept.model = "(other)";
        if (const auto found = ids_.find(kept); found != ids_.end()) return found->second;
    }
    const auto id = static_cast<SeriesId>(keys_.size());
    keys_.push_back(kept);
    ids_.emplace(std::move(kept), id);
    return id;
}

void Collector::import(const SeriesKey& key, core::WallTime at, const metrics::Sample& sample) {
    const SeriesId id = series(key);
    const std::lock_guard lock(mutex_);
    slots_.advance(epoch_us(now()));
    slots_.add(id, epoch_us(at), sample);
}

void Collector::import_gap(const SeriesKey& key, core::WallTime at, microseconds gap) {
    const SeriesId id = series(key);
    const std::lock_guard lock(mutex_);
    slots_.advance(epoch_us(now()));
    slots_.add_gap(id, epoch_us(at), gap);
}

Collector::Answer Collector::query(const Filter& filter, core::WallTime start, core::WallTime end) {
    Answer answer;
    answer.tally = std::make_unique<metrics::Tally>(bounds_);
    const std::lock_guard lock(mutex_);
    drain_locked();
    const Slots::Window window = slots_.window(epoch_us(start), epoch_us(end), epoch_us(now()));
    slots_.visit(window, [&](SeriesId id, const metrics::SlotTally& tally) {
        if (filter.matches(keys_[id])) answer.tally->merge(tally);
    });
    answer.start = wall_of(window.start_us);
    answer.end = wall_of(window.end_us);
    answer.slot = window.slot;
    for (const auto& intake : intakes_) answer.open_requests += intake->open();
    return answer;
}

void Collector::drain() {
    const std::lock_guard lock(mutex_);
    drain_locked();
}

void Collector::drain_locked() {
    for (const auto& intake : intakes_) {
        intake->finished_.take_all(
            [&](const Intake::Finished& f) { slots_.add(f.sample.stream_id, f.at_us, f.sample); });
        intake->attempted_.take_all(
            [&](const Intake::Attempted& a) { slots_.add_attempts(a.series, a.at_us, a.attempts); });
        intake->gaps_.take_all(
            [&](const metrics::Gap& g) { slots_.add_gap(g.stream_id, g.at_us, microseconds{g.gap_us}); });
    }
    slots_.advance(epoch_us(now()));
}

core::WallTime Collector::now() const noexcept {
    return wall_start_ + std::chrono::duration_cast<core::WallTime::duration>(clock_.now() - steady_start_);
}

std::int64_t Collector::wall_us(core::TimePoint at) const noexcept {
    return epoch_us(wall_start_ + std::chrono::duration_cast<core::WallTime::duration>(at - steady_start_));
}

}  // namespace oai::ops
