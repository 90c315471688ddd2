#include "metrics/histogram.hpp"

#include <algorithm>
#include <string>

namespace oai::metrics {

template <class Buckets>
BasicHistogram<Buckets>::BasicHistogram(std::span<const microseconds> limits) {
    pinned_.reserve(limits.size());
    for (const microseconds limit : limits) pinned_.push_back({limit, 0});
    std::sort(pinned_.begin(), pinned_.end(), [](const auto& a, const auto& b) { return a.limit < b.limit; });
}

template <class Buckets>
void BasicHistogram<Buckets>::record(microseconds value) noexcept(Buckets::kFixed) {
    buckets_.add(layout::bucket_index(value.count()), 1);
    min_ = count_ == 0 ? value : std::min(min_, value);
    max_ = count_ == 0 ? value : std::max(max_, value);
    sum_ += value;
    ++count_;
    if (value.count() > layout::kHighest) ++saturated_;
    for (PinnedBound& bound : pinned_) {
        if (value <= bound.limit) ++bound.at_or_below;
    }
}

template <class Buckets>
template <class Other>
void BasicHistogram<Buckets>::merge(const BasicHistogram<Other>& other) {
    // First the limits only the other side pins: what lies here must be known for them too.
    for (const PinnedBound& theirs : other.pinned_) {
        const auto at =
            std::lower_bound(pinned_.begin(), pinned_.end(), theirs.limit,
                             [](const PinnedBound& bound, microseconds limit) { return bound.limit < limit; });
        if (at != pinned_.end() && at->limit == theirs.limit) continue;
        const CountAtOrBelow ours = count_at_or_below(theirs.limit);
        if (!ours.approx) pinned_.insert(at, {theirs.limit, ours.count});
    }
    std::erase_if(pinned_, [&](PinnedBound& ours) {
        const CountAtOrBelow theirs = other.count_at_or_below(ours.limit);
        ours.at_or_below += theirs.count;
        return theirs.approx;
    });
    if (other.count_ == 0) return;
    other.for_each_bucket([&](std::uint32_t index, std::uint64_t count) { buckets_.add(index, count); });
    min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
    max_ = count_ == 0 ? other.max_ : std::max(max_, other.max_);
    sum_ += other.sum_;
    count_ += other.count_;
    saturated_ += other.saturated_;
}

template <class Buckets>
std::optional<microseconds> BasicHistogram<Buckets>::percentile(Percentile p) const noexcept {
    if (count_ == 0) return std::nullopt;
    if (p == kMaximum) return max_;
    const std::uint64_t wanted = rank(p, count_);
    std::uint64_t seen = 0;
    microseconds value = max_;
    buckets_.visit(layout::bucket_index(min_.count()), layout::bucket_index(max_.count()),
                   [&](std::uint32_t index, std::uint64_t count) {
                       seen += count;
                       if (seen < wanted) return true;
                       value = std::min(microseconds{layout::bucket_top(index)}, max_);
                       return false;
                   });
    return value;
}

template <class Buckets>
CountAtOrBelow BasicHistogram<Buckets>::count_at_or_below(microseconds limit) const noexcept {
    for (const PinnedBound& bound : pinned_) {
        if (bound.limit == limit) return {bound.at_or_below, false};
    }
    if (count_ == 0 || limit < min_) return {0, false};
    if (limit >= max_) return {count_, false};
    const std::uint32_t cut = layout::bucket_index(limit.count());
    // The top bucket has no top: values above 1 h are in it.
    const bool cut_is_whole = cut + 1 < layout::kBuckets && limit.count() == layout::bucket_top(cut);
    CountAtOrBelow below;
    buckets_.visit(layout::bucket_index(min_.count()), cut, [&](std::uint32_t index, std::uint64_t count) {
        if (index < cut || cut_is_whole) {
            below.count += count;
        } else {
            below.approx = true;
        }
        return true;
    });
    return below;
}

template <class Buckets>
core::Result<BasicHistogram<Buckets>> BasicHistogram<Buckets>::from_parts(const Parts& parts) {
    const auto bad = [](std::string why) {
        return core::Error{.code = core::Code::parse_failed, .detail = "a histogram " + std::move(why)};
    };
    BasicHistogram made;
    for (std::size_t i = 0; i < parts.buckets.size(); ++i) {
        const Bucket bucket = parts.buckets[i];
        if (bucket.index >= layout::kBuckets || bucket.count == 0 ||
            (i > 0 && bucket.index <= parts.buckets[i - 1].index))
            return bad("needs buckets of known index, ascending, none empty; number " + std::to_string(i) +
                       " is not so");
        made.buckets_.add(static_cast<std::uint32_t>(bucket.index), bucket.count);
        made.count_ += bucket.count;
    }
    // Neither a rank nor a sum of sums may overflow, whatever the document says: 2^47 samples, 2^56 us (2,000 years of
    // waiting).
    if (made.count_ >> 47 != 0 || parts.sum.count() < 0 || parts.sum.count() >> 56 != 0)
        return bad("of so many samples cannot be");
    if (made.count_ != 0) {
        if (parts.min.count() < 0 || layout::bucket_index(parts.min.count()) != parts.buckets.front().index ||
            layout::bucket_index(parts.max.count()) != parts.buckets.back().index || parts.max < parts.min)
            return bad("needs its least and greatest value in its first and last bucket");
        if (parts.saturated > parts.buckets.back().count ||
            (parts.saturated != 0) != (parts.max.count() > layout::kHighest))
            return bad("needs as many saturated values as there are above 1 h");
        made.min_ = parts.min;
        made.max_ = parts.max;
        made.sum_ = parts.sum;
        made.saturated_ = parts.saturated;
    } else if (parts.saturated != 0 || parts.sum.count() != 0) {
        return bad("without buckets has no sum and nothing saturated");
    }
    for (std::size_t i = 0; i < parts.pinned.size(); ++i) {
        const PinnedBound& bound = parts.pinned[i];
        const bool ascending =
            i == 0 || (bound.limit > parts.pinned[i - 1].limit && bound.at_or_below >= parts.pinned[i - 1].at_or_below);
        const CountAtOrBelow counted = made.count_at_or_below(bound.limit);
        const bool fits = counted.approx ? bound.at_or_below >= counted.count && bound.at_or_below <= made.count_
                                         : bound.at_or_below == counted.count;
        if (bound.limit.count() < 0 || !ascending || !fits)
            return bad("pins " + std::to_string(bound.limit.count()) +
                       " us with a count that its buckets do not allow");
    }
    made.pinned_ = parts.pinned;
    return made;
}

template class BasicHistogram<DenseBuckets>;
template class BasicHistogram<SparseBuckets>;
template void Histogram::merge(const Histogram&);
template void Histogram::merge(const SparseHistogram&);
template void SparseHistogram::merge(const SparseHistogram&);
template void SparseHistogram::merge(const Histogram&);

}  // namespace oai::metrics
