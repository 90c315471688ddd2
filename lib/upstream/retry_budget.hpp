#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace oai::upstream {

/// Retries as a share of requests: when everything fails, trying again doubles the load on what is failing. Each
/// request earns its share, each retry spends one. Begins with ten, keeps at most a hundred. Any number of threads.
class RetryBudget {
public:
    void earn(std::int64_t share_bp) noexcept {
        const std::int64_t earned = share_bp * kOne / 10'000;
        std::int64_t before = left_.load(std::memory_order_relaxed);
        while (before < kMost &&
               !left_.compare_exchange_weak(before, std::min(kMost, before + earned), std::memory_order_relaxed)) {
        }
    }
    bool spend() noexcept {
        std::int64_t before = left_.load(std::memory_order_relaxed);
        do {
            if (before < kOne) return false;
        } while (!left_.compare_exchange_weak(before, before - kOne, std::memory_order_relaxed));
        return true;
    }

private:
    static constexpr std::int64_t kOne = 10'000;  ///< so that a basis point is a whole number
    static constexpr std::int64_t kMost = 100 * kOne;
    std::atomic<std::int64_t> left_{10 * kOne};
};

}  // namespace oai::upstream
