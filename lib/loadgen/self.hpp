#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "core/clock.hpp"
#include "report/baseline.hpp"

/// The generator judges itself (MEASUREMENT 5): a tool that was late or busy must not pass its own trouble for the
/// target's.
namespace oai::loadgen {

/// What the calling thread has used so far.
struct ThreadUse {
    core::nanoseconds cpu{};
    std::uint64_t involuntary_switches = 0;

    ThreadUse since(const ThreadUse& before) const noexcept {
        return {cpu - before.cpu, involuntary_switches - before.involuntary_switches};
    }
};
ThreadUse thread_use() noexcept;

/// The most memory this process had resident so far; empty where the system does not tell.
std::optional<std::uint64_t> peak_rss_bytes();

struct SelfLimits {
    std::chrono::microseconds lag_p99{1000};
    std::int64_t cpu_bp = 8000;  ///< of one core, for the busiest thread of the generator
    std::uint64_t dropped = 0;
    std::int64_t achieved_bp = 9950;  ///< begun within the window / offered
};

/// Sets `valid` and `reasons`. Each reason begins with its word: lag, cpu, dropped, achieved. Equality is within
/// budget.
void judge_self(report::Generator& generator, const SelfLimits& limits = {});
/// Adds a reason that is none of the budgets: "interrupted …", "incomplete …".
void invalidate(report::Generator& generator, std::string reason);

/// The first words of the reasons, for the machine-readable line: "lag,dropped". Empty when the run is valid.
std::string reason_words(const report::Generator& generator);

}  // namespace oai::loadgen
