#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "metrics/layout.hpp"

namespace oai::metrics {

/// One bucket and its count in eight bytes; an index needs 15 bits.
struct Bucket {
    std::uint64_t index : 16;
    std::uint64_t count : 48;
};

/// Where a histogram keeps its counts: every bucket, in order.
class DenseBuckets {
public:
    static constexpr bool kFixed = true;  ///< add() does not allocate

    void add(std::uint32_t index, std::uint64_t count) noexcept { counts_[index] += count; }

    /// Calls `visit(index, count)` for the buckets from `first` to `last` that are not empty, ascending, until it
    /// returns false.
    template <class Visit>
    void visit(std::uint32_t first, std::uint32_t last, Visit visit) const {
        for (std::uint32_t index = first; index <= last; ++index) {
            if (counts_[index] != 0 && !visit(index, counts_[index])) return;
        }
    }

private:
    std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(layout::kBuckets);
};

/// The same, keeping only buckets in use. Adding shifts what lies above: meant for up to some hundred buckets.
class SparseBuckets {
public:
    static constexpr bool kFixed = false;

    void add(std::uint32_t index, std::uint64_t count) {
        // Where samples are frequent every bucket is in use, and all of those lie equally far from their indices.
        if (const std::size_t guess = index - shift_; guess < used_.size() && used_[guess].index == index) {
            used_[guess].count += count & kCountMask;
            return;
        }
        const auto at = lower_bound(index);
        const auto place = static_cast<std::size_t>(at - used_.begin());
        shift_ = index - place;
        if (at != used_.end() && at->index == index) {
            used_[place].count += count & kCountMask;
        } else {
            used_.insert(at, Bucket{index & kIndexMask, count & kCountMask});
        }
    }

    template <class Visit>
    void visit(std::uint32_t first, std::uint32_t last, Visit visit) const {
        for (auto at = lower_bound(first); at != used_.end() && at->index <= last; ++at) {
            if (!visit(static_cast<std::uint32_t>(at->index), static_cast<std::uint64_t>(at->count))) return;
        }
    }

private:
    static constexpr std::uint64_t kCountMask = (std::uint64_t{1} << 48) - 1;
    static constexpr std::uint64_t kIndexMask = 0xFFFF;

    /// Not std::lower_bound: durations jump about, and a step that is a conditional move costs half of one that
    /// branches and is foretold wrongly every other time.
    std::vector<Bucket>::const_iterator lower_bound(std::uint32_t index) const {
        auto at = used_.begin();
        for (std::size_t left = used_.size(); left != 0;) {
            const std::size_t half = left - left / 2;
            at += at[static_cast<std::ptrdiff_t>(half - 1)].index < index ? static_cast<std::ptrdiff_t>(half) : 0;
            left -= half;
        }
        return at;
    }

    std::vector<Bucket> used_;
    std::size_t shift_ = 0;  ///< from the place of the bucket that was searched for last to its index
};

}  // namespace oai::metrics
