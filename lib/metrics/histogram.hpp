#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/result.hpp"
#include "metrics/buckets.hpp"
#include "metrics/percentile.hpp"

namespace oai::metrics {

using std::chrono::microseconds;

/// A limit and how many values were at or below it, exactly, whatever the buckets are.
struct PinnedBound {
    microseconds limit{};
    std::uint64_t at_or_below = 0;
    friend bool operator==(const PinnedBound&, const PinnedBound&) = default;
};

/// `approx`: the limit cuts a bucket that holds values; those are taken as above it, as the shown percentile does.
struct CountAtOrBelow {
    std::uint64_t count = 0;
    bool approx = false;
    friend bool operator==(const CountAtOrBelow&, const CountAtOrBelow&) = default;
};

/// Log-linear histogram of durations with a bounded relative error (three significant digits).
/// One writer, no locks: give each worker its own and merge. Percentiles of a merge equal percentiles of the pooled
/// samples; percentiles must never be averaged.
/// Units: integer microseconds. Range 0 to 1 h; above that values count in the top bucket and in `saturated()`.
/// Source: bucket layout of HdrHistogram (layout.hpp).
template <class Buckets>
class BasicHistogram {
public:
    BasicHistogram() = default;
    /// `limits` in any order, without repetition.
    explicit BasicHistogram(std::span<const microseconds> limits);

    /// Adds one sample. A dense histogram does not allocate. Precondition: `value` is not negative.
    void record(microseconds value) noexcept(Buckets::kFixed);
    /// Exact: counts add. A limit stays pinned when its count is known exactly on both sides.
    template <class Other>
    void merge(const BasicHistogram<Other>& other);

    std::uint64_t count() const noexcept { return count_; }
    std::uint64_t saturated() const noexcept { return saturated_; }
    microseconds sum() const noexcept { return sum_; }
    std::optional<microseconds> min() const noexcept { return count_ ? std::optional(min_) : std::nullopt; }
    std::optional<microseconds> max() const noexcept { return count_ ? std::optional(max_) : std::nullopt; }
    const std::vector<PinnedBound>& pinned() const noexcept { return pinned_; }  ///< ascending by limit

    /// Nearest rank, computed in integers: p99 is Percentile{99'000}. The top of its bucket, but not above the largest
    /// value recorded. Empty when nothing was recorded: no data is not zero.
    std::optional<microseconds> percentile(Percentile p) const noexcept;
    /// How many values are <= `limit`; exact for pinned limits, and wherever the buckets allow.
    CountAtOrBelow count_at_or_below(microseconds limit) const noexcept;

    /// Calls `visit(index, count)` for every bucket that is not empty, ascending.
    template <class Visit>
    void for_each_bucket(Visit visit) const {
        if (count_ == 0) return;
        buckets_.visit(layout::bucket_index(min_.count()), layout::bucket_index(max_.count()),
                       [&](std::uint32_t index, std::uint64_t count) {
                           visit(index, count);
                           return true;
                       });
    }

    /// What a histogram consists of, for a document or a file to keep and give back.
    struct Parts {
        microseconds min{}, max{}, sum{};
        std::uint64_t saturated = 0;
        std::vector<PinnedBound> pinned = {};
        std::vector<Bucket> buckets = {};
    };
    /// Checks that the parts fit together (ascending, in range, extremes in the outer buckets).
    static core::Result<BasicHistogram> from_parts(const Parts& parts);

private:
    template <class>
    friend class BasicHistogram;

    Buckets buckets_;
    std::uint64_t count_ = 0;
    std::uint64_t saturated_ = 0;
    microseconds sum_{0}, min_{0}, max_{0};
    std::vector<PinnedBound> pinned_;
};

/// All buckets in one array, 186 KB: for workers, reports and sums.
using Histogram = BasicHistogram<DenseBuckets>;
/// Only the buckets in use, 8 bytes each: for the thousands of slots of a gateway. Merges with the dense form exactly.
using SparseHistogram = BasicHistogram<SparseBuckets>;

extern template class BasicHistogram<DenseBuckets>;
extern template class BasicHistogram<SparseBuckets>;

}  // namespace oai::metrics
