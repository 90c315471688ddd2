#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "core/result.hpp"
#include "loadgen/scenario.hpp"
#include "loadgen/target.hpp"
#include "report/baseline.hpp"

namespace oai::loadgen {

/// How a run is doing, for a line on a terminal.
struct Progress {
    nanoseconds elapsed{};
    nanoseconds planned{};
    std::uint64_t offered = 0;
    std::uint64_t finished = 0;
    std::uint64_t failed = 0;
    std::uint64_t dropped = 0;
    std::uint32_t in_flight = 0;
    std::chrono::microseconds lag_max{};
    std::optional<std::chrono::microseconds> response_p99 = {};  ///< successes so far
};

struct RunOptions {
    unsigned workers = 1;                ///< I/O threads; one carries thousands of requests per second
    std::filesystem::path samples = {};  ///< raw samples go there; empty: no file
    /// Becomes true: arrivals stop, what is in flight is censored at once, and the run invalidates itself.
    const std::atomic<bool>* stop = nullptr;
    std::function<void(const Progress&)> on_progress = {};  ///< on the caller's thread
    nanoseconds progress_every = std::chrono::seconds{1};   ///< and how often samples are written through
};

/// Runs a scenario against a target and reports: metrics, the target limits judged, the generator judged by itself.
/// Blocks for the duration and at most a timeout more. Failing requests are results; an error means that nothing was
/// run or that the samples could not be written.
core::Result<report::BaselineReport> run(const Scenario& scenario, const Target& target, const RunOptions& options);

}  // namespace oai::loadgen
