#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string_view>

#include "core/clock.hpp"

namespace oai::upstream {

struct BreakerSettings {
    std::chrono::nanoseconds window = std::chrono::seconds{10};
    std::uint32_t min_requests = 3;                               ///< in the window, before a ratio means anything
    std::int64_t failure_ratio_bp = 5000;                         ///< of the window's requests; 0 = no such rule
    std::uint32_t consecutive_failures = 5;                       ///< 0 = no such rule
    std::chrono::nanoseconds cooldown = std::chrono::seconds{2};  ///< doubles with each opening in a row, up to
    std::chrono::nanoseconds max_cooldown = std::chrono::seconds{60};
    std::uint32_t successes_to_close = 2;  ///< of probes, one at a time
};

/// Keeps traffic away from an account that fails. Closed: all goes, failures are counted. Open: nothing goes until the
/// cooldown has passed. Half open: one request at a time goes as a probe; enough successes close it, a failure opens it
/// again for twice as long.
///
/// Any number of threads. A success while closed is two atomic operations; only a change of state takes the mutex.
class Breaker {
public:
    enum class State : std::uint8_t { closed, open, half_open };

    State state(core::TimePoint now) const noexcept;
    /// When the cooldown ends; the epoch while closed.
    core::TimePoint open_until() const noexcept;

    /// Whether a request may go now. When half open the caller becomes the probe (`probe` is set) and must say how it
    /// ended, or `forget` it.
    bool enter(core::TimePoint now, bool& probe) noexcept;
    /// A probe is on its way: nothing else may go.
    bool probing() const noexcept { return probing_.load(std::memory_order_relaxed); }

    void success(const BreakerSettings& settings, core::TimePoint now, bool probe) noexcept;
    void failure(const BreakerSettings& settings, core::TimePoint now, bool probe) noexcept;
    /// A probe that proved nothing: its caller left.
    void forget(bool probe) noexcept;

private:
    // Ten slices: old requests leave the window smoothly. A slice is (number of its time << 32 | failures << 16 |
    // requests), so that counting and beginning anew are one compare-and-swap.
    static constexpr std::size_t kSlices = 10;
    struct Counts {
        std::uint32_t requests = 0;
        std::uint32_t failures = 0;
    };
    void count(const BreakerSettings& settings, core::TimePoint now, bool failed) noexcept;
    Counts counts(const BreakerSettings& settings, core::TimePoint now) const noexcept;
    void open(const BreakerSettings& settings, core::TimePoint now) noexcept;

    std::array<std::atomic<std::uint64_t>, kSlices> slices_{};
    std::atomic<std::uint32_t> failures_in_a_row_{0};
    std::atomic<std::int64_t> open_until_{0};  ///< ns of the steady clock; 0 = closed
    std::atomic<bool> probing_{false};
    std::mutex changing_;
    std::uint32_t probes_passed_ = 0;            ///< under `changing_`
    std::chrono::nanoseconds next_cooldown_{0};  ///< under `changing_`; 0 = the first
};

std::string_view name_of(Breaker::State state) noexcept;

}  // namespace oai::upstream
