#pragma once

#include <bit>
#include <cstdint>

/// The bucket layout of HdrHistogram for microseconds, three significant digits, 1 us to 1 h: 2048 sub-buckets, of
/// which each doubling of the value uses the upper 1024. Below 2048 us a bucket holds one value; above, its width is
/// under 0.1 % of it.
namespace oai::metrics::layout {

inline constexpr std::int64_t kHighest = 3'600'000'000;  ///< 1 h; values above count in its bucket and as saturated
inline constexpr int kSubBuckets = 2048;
inline constexpr int kHalf = kSubBuckets / 2;

/// Precondition: `us` is not negative.
constexpr std::uint32_t bucket_index(std::int64_t us) noexcept {
    const auto value = static_cast<std::uint64_t>(us > kHighest ? kHighest : us);
    const int doublings = static_cast<int>(std::bit_width(value | (kSubBuckets - 1))) - 11;
    const auto sub_bucket = static_cast<std::uint32_t>(value >> doublings);
    return static_cast<std::uint32_t>(doublings) * kHalf + sub_bucket;
}

/// The largest value of a bucket.
constexpr std::int64_t bucket_top(std::uint32_t index) noexcept {
    if (index < kSubBuckets) return index;
    const std::uint32_t doublings = index / kHalf - 1;
    const std::int64_t sub_bucket = index % kHalf + kHalf;
    return ((sub_bucket + 1) << doublings) - 1;
}

inline constexpr std::uint32_t kBuckets = bucket_index(kHighest) + 1;

}  // namespace oai::metrics::layout
