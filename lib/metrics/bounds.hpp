#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <span>
#include <vector>

#include "metrics/catalog.hpp"

namespace oai::metrics {

using std::chrono::microseconds;

/// A latency that a single request may not exceed.
struct LatencyLimit {
    Duration metric{};
    microseconds limit{};
    friend bool operator==(const LatencyLimit&, const LatencyLimit&) = default;
};

/// What a tally must know before the first sample: limits counted exactly, and what a good request is.
class Bounds {
public:
    /// Nothing pinned, no goodput limits.
    Bounds() = default;
    /// Both limit sets of MEASUREMENT 4 (TTFT 900 ms, 1200 ms), the seed k6 script's (response 3 s, 6 s); good = TTFT
    /// <= 900 ms.
    static const Bounds& standard();

    /// Keeps an exact counter for this limit. Pinning twice is pinning once.
    Bounds& pin(Duration metric, microseconds limit);
    /// A good request stays within this limit as well.
    Bounds& require(LatencyLimit limit);
    Bounds& clear_goodput();

    std::span<const microseconds> pinned(Duration metric) const noexcept { return pinned_[index_of(metric)]; }
    const std::vector<LatencyLimit>& goodput() const noexcept { return goodput_; }

private:
    std::array<std::vector<microseconds>, kDurations.size()> pinned_;
    std::vector<LatencyLimit> goodput_;
};

}  // namespace oai::metrics
