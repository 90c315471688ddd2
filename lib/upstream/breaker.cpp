#include "upstream/breaker.hpp"

#include <algorithm>

namespace oai::upstream {

namespace {

constexpr std::uint64_t kMostCount = 0xFFFF;

std::uint64_t slice_number(const BreakerSettings& settings, core::TimePoint now) noexcept {
    const std::int64_t width = std::max<std::int64_t>(1, settings.window.count() / 10);
    // Never 0: that is an untouched slice.
    return static_cast<std::uint64_t>(now.time_since_epoch().count() / width + 1) & 0xFFFFFFFF;
}

}  // namespace

core::TimePoint Breaker::open_until() const noexcept {
    return core::TimePoint{std::chrono::nanoseconds{open_until_.load(std::memory_order_acquire)}};
}

Breaker::State Breaker::state(core::TimePoint now) const noexcept {
    const core::TimePoint until = open_until();
    if (until == core::TimePoint{}) return State::closed;
    return now < until ? State::open : State::half_open;
}

bool Breaker::enter(core::TimePoint now, bool& probe) noexcept {
    probe = false;
    switch (state(now)) {
        case State::closed: return true;
        case State::open: return false;
        case State::half_open: break;
    }
    probe = !probing_.exchange(true, std::memory_order_acq_rel);
    return probe;
}

void Breaker::count(const BreakerSettings& settings, core::TimePoint now, bool failed) noexcept {
    const std::uint64_t number = slice_number(settings, now);
    std::atomic<std::uint64_t>& slice = slices_[number % kSlices];
    std::uint64_t before = slice.load(std::memory_order_relaxed);
    for (;;) {
        std::uint64_t requests = 0, failures = 0;
        if (before >> 32 == number) {
            requests = before & kMostCount;
            failures = (before >> 16) & kMostCount;
        }
        if (requests == kMostCount) return;  // the ratio of so many does not change any more
        const std::uint64_t after = number << 32 | (failures + (failed ? 1 : 0)) << 16 | (requests + 1);
        if (slice.compare_exchange_weak(before, after, std::memory_order_relaxed)) return;
    }
}

Breaker::Counts Breaker::counts(const BreakerSettings& settings, core::TimePoint now) const noexcept {
    const std::uint64_t number = slice_number(settings, now);
    Counts total;
    for (const std::atomic<std::uint64_t>& slice : slices_) {
        const std::uint64_t value = slice.load(std::memory_order_relaxed);
        if (value >> 32 > number || number - (value >> 32) >= kSlices) continue;
        total.requests += static_cast<std::uint32_t>(value & kMostCount);
        total.failures += static_cast<std::uint32_t>((value >> 16) & kMostCount);
    }
    return total;
}

void Breaker::open(const BreakerSettings& settings, core::TimePoint now) noexcept {
    const auto cooldown =
        std::min(std::max(next_cooldown_, settings.cooldown), std::max(settings.max_cooldown, settings.cooldown));
    next_cooldown_ = cooldown * 2;
    probes_passed_ = 0;
    open_until_.store((now + cooldown).time_since_epoch().count(), std::memory_order_release);
}

void Breaker::success(const BreakerSettings& settings, core::TimePoint now, bool probe) noexcept {
    failures_in_a_row_.store(0, std::memory_order_relaxed);
    count(settings, now, false);
    if (!probe) return;  // one that began before it opened proves nothing about now
    const std::lock_guard lock(changing_);
    if (++probes_passed_ >= settings.successes_to_close) {
        open_until_.store(0, std::memory_order_release);
        next_cooldown_ = {};
        // What happened before it opened has been answered for.
        for (std::atomic<std::uint64_t>& slice : slices_) slice.store(0, std::memory_order_relaxed);
    }
    probing_.store(false, std::memory_order_release);
}

void Breaker::failure(const BreakerSettings& settings, core::TimePoint now, bool probe) noexcept {
    const std::uint32_t row = failures_in_a_row_.fetch_add(1, std::memory_order_relaxed) + 1;
    count(settings, now, true);
    if (probe) {
        const std::lock_guard lock(changing_);
        open(settings, now);
        probing_.store(false, std::memory_order_release);
        return;
    }
    if (state(now) != State::closed) return;
    const Counts seen = counts(settings, now);
    const bool by_ratio = settings.failure_ratio_bp > 0 && seen.requests >= settings.min_requests &&
                          static_cast<std::int64_t>(seen.failures) * 10'000 >=
                              settings.failure_ratio_bp * static_cast<std::int64_t>(seen.requests);
    const bool by_row = settings.consecutive_failures > 0 && row >= settings.consecutive_failures;
    if (!by_ratio && !by_row) return;
    const std::lock_guard lock(changing_);
    if (state(now) == State::closed) open(settings, now);
}

void Breaker::forget(bool probe) noexcept {
    if (probe) probing_.store(false, std::memory_order_release);
}

std::string_view name_of(Breaker::State state) noexcept {
    switch (state) {
        case Breaker::State::closed: break;
        case Breaker::State::open: return "open";
        case Breaker::State::half_open: return "half_open";
    }
    return "closed";
}

}  // namespace oai::upstream
