#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "loadgen/exchange.hpp"
#include "loadgen/self.hpp"

namespace oai::loadgen {

/// The thread that keeps the grid: sleeps until shortly before a slot, spins to its instant, hands the arrival to a
/// worker. It never waits for an answer, and a slot that was missed is handed over at once: the grid does not shift.
class Pacer {
public:
    /// `run.start` is set. Until `stop` becomes true, looked at 20 times a second and at every slot.
    Pacer(const Scenario& scenario, RunContext& run, std::span<const std::unique_ptr<Lane>> lanes);
    ~Pacer();  ///< stops and joins
    Pacer(const Pacer&) = delete;

    void start();
    void stop() noexcept { stop_.store(true, std::memory_order_relaxed); }
    /// All arrivals were handed over, or it was stopped. What follows may be read then, but for the approximate counts.
    bool done() const noexcept { return done_.load(std::memory_order_acquire); }

    const Claims& claims() const noexcept { return claims_; }
    Batch take_dropped() noexcept { return std::move(dropped_); }
    const ThreadUse& use() const noexcept { return use_; }

    std::uint64_t offered_approx() const noexcept { return offered_.load(std::memory_order_relaxed); }
    std::uint64_t dropped_approx() const noexcept { return dropped_count_.load(std::memory_order_relaxed); }

private:
    void pace();
    bool wait_until(core::TimePoint at) noexcept;

    const Scenario& scenario_;
    RunContext& run_;
    std::span<const std::unique_ptr<Lane>> lanes_;
    core::nanoseconds spin_;
    std::atomic<bool> stop_{false};
    std::atomic<bool> done_{false};
    std::atomic<std::uint64_t> offered_{0};
    std::atomic<std::uint64_t> dropped_count_{0};
    Claims claims_;
    Batch dropped_;
    ThreadUse use_;
    std::thread thread_;
};

}  // namespace oai::loadgen
