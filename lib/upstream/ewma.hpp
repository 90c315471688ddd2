#pragma once

#include <atomic>
#include <cmath>
#include <limits>
#include <optional>

namespace oai::upstream {

/// Exponentially weighted mean that many threads feed without a lock: a sample is one compare-and-swap. Empty until the
/// first sample, which it then equals.
class Ewma {
public:
    static constexpr double kAlpha = 0.2;

    void add(double sample) noexcept {
        double before = value_.load(std::memory_order_relaxed);
        while (!value_.compare_exchange_weak(before, std::isnan(before) ? sample : before + kAlpha * (sample - before),
                                             std::memory_order_relaxed)) {
        }
    }

    std::optional<double> value() const noexcept {
        const double value = value_.load(std::memory_order_relaxed);
        return std::isnan(value) ? std::nullopt : std::optional(value);
    }

private:
    std::atomic<double> value_{std::numeric_limits<double>::quiet_NaN()};
};

}  // namespace oai::upstream
