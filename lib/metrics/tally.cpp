#include "metrics/tally.hpp"

#include <utility>

namespace oai::metrics {
namespace {

/// One more request; `good` apart, since it depends on limits.
void count(const Sample& sample, Counts& c) noexcept {
    ++c.offered;
    ++c.by_outcome[static_cast<std::size_t>(sample.outcome)];
    if (sample.was_sent()) ++c.sent;
    if (sample.is_client_error()) ++c.client_errors;
    if (sample.is_business_limited()) ++c.business_limited;
    if (sample.counts_in_rates()) {
        ++c.counted;
        if (sample.is_failure()) ++c.failed;
        if (sample.is_success() && sample.late) ++c.late;
        if (sample.upstream_failed) ++c.upstream_failed;
        if (sample.upstream_throttled) ++c.upstream_throttled;
        if (sample.upstream_failed || sample.upstream_throttled) ++c.upstream_troubled;
    }
    c.input_tokens += sample.input_tokens;
    c.output_tokens += sample.output_tokens;
}

}  // namespace

bool Counts::identity_holds() const noexcept {
    std::uint64_t ended = 0;
    for (const std::uint64_t count : by_outcome) ended += count;
    return offered == sent + dropped() && sent == ended - dropped();
}

Counts& Counts::operator+=(const Counts& other) noexcept {
    offered += other.offered;
    sent += other.sent;
    for (std::size_t i = 0; i < kOutcomes; ++i) by_outcome[i] += other.by_outcome[i];
    counted += other.counted;
    failed += other.failed;
    late += other.late;
    good += other.good;
    client_errors += other.client_errors;
    business_limited += other.business_limited;
    upstream_failed += other.upstream_failed;
    upstream_throttled += other.upstream_throttled;
    upstream_troubled += other.upstream_troubled;
    input_tokens += other.input_tokens;
    output_tokens += other.output_tokens;
    attempts += other.attempts;
    attempt_failures += other.attempt_failures;
    return *this;
}

template <class H>
BasicTally<H>::BasicTally(const Bounds& bounds) : goodput_limits_(bounds.goodput()) {
    for (const Duration metric : kDurations) {
        stream_.histograms[index_of(metric)] = H(bounds.pinned(metric));
        non_stream_.histograms[index_of(metric)] = H(bounds.pinned(metric));
    }
}

template <class H>
bool BasicTally<H>::is_good(const Sample& sample) const noexcept {
    if (!sample.is_success() || !goodput_limits_) return false;
    for (const LatencyLimit& limit : *goodput_limits_) {
        if (duration_us(sample, limit.metric) > limit.limit.count()) return false;
    }
    return true;
}

template <class H>
void BasicTally<H>::add(const Sample& sample, Ttft ttft) {
    Counts& counts = sample.stream ? stream_.counts : non_stream_.counts;
    count(sample, counts);
    if (is_good(sample)) ++counts.good;
    for (const Duration metric : kDurations) {
        if (metric == Duration::ttft && ttft == Ttft::recorded_before) continue;
        const std::int64_t us = duration_us(sample, metric);
        if (us >= 0) record(metric, sample.stream, microseconds{us});
    }
}

template <class H>
void BasicTally<H>::add_attempts(const Attempts& attempts) noexcept {
    Counts& counts = attempts.stream ? stream_.counts : non_stream_.counts;
    counts.attempts += attempts.count;
    counts.attempt_failures += attempts.failed;
}

template <class H>
void BasicTally<H>::record(Duration metric, bool stream, microseconds value) {
    (stream ? stream_ : non_stream_).histograms[index_of(metric)].record(value);
}

template <class H>
void BasicTally<H>::claim(bool stream, std::uint64_t offered, std::uint64_t sent) noexcept {
    Counts& counts = stream ? stream_.counts : non_stream_.counts;
    counts.offered = offered;
    counts.sent = sent;
}

template <class H>
template <class Other>
void BasicTally<H>::merge(const BasicTally<Other>& other) {
    if (counts().offered == 0) {
        goodput_limits_ = other.goodput_limits_;
    } else if (other.counts().offered != 0 && goodput_limits_ != other.goodput_limits_) {
        goodput_limits_.reset();
    }
    const auto merge_half = [](Half& ours, const auto& theirs) {
        ours.counts += theirs.counts;
        for (std::size_t i = 0; i < kDurations.size(); ++i) ours.histograms[i].merge(theirs.histograms[i]);
    };
    merge_half(stream_, other.stream_);
    merge_half(non_stream_, other.non_stream_);
}

template <class H>
Counts BasicTally<H>::counts(Part part) const noexcept {
    Counts sum = part == Part::non_stream ? non_stream_.counts : stream_.counts;
    if (part == Part::whole) sum += non_stream_.counts;
    return sum;
}

template <class H>
H BasicTally<H>::histogram(Duration metric, Part part) const {
    H sum = (part == Part::non_stream ? non_stream_ : stream_).histograms[index_of(metric)];
    if (part == Part::whole) sum.merge(non_stream_.histograms[index_of(metric)]);
    return sum;
}

template <class H>
std::optional<Ratio> BasicTally<H>::rate(Rate metric, Part part, bool with_throttled) const noexcept {
    const Counts c = counts(part);
    Ratio ratio{0, c.counted};
    switch (metric) {
        case Rate::error_rate: ratio.num = c.failed; break;
        case Rate::upstream_error_rate: ratio.num = with_throttled ? c.upstream_troubled : c.upstream_failed; break;
        case Rate::sla: ratio.num = c.counted - c.failed - c.late; break;
        case Rate::goodput:
            if (!goodput_limits_) return std::nullopt;
            ratio = {c.good, c.offered > c.client_errors ? c.offered - c.client_errors : 0};
            break;
    }
    return ratio.den == 0 ? std::nullopt : std::optional(ratio);
}

template <class H>
BasicTally<H> BasicTally<H>::from_halves(Half stream, Half non_stream,
                                         std::optional<std::vector<LatencyLimit>> goodput_limits) {
    BasicTally made{Bounds{}};
    made.stream_ = std::move(stream);
    made.non_stream_ = std::move(non_stream);
    made.goodput_limits_ = std::move(goodput_limits);
    return made;
}

template class BasicTally<Histogram>;
template class BasicTally<SparseHistogram>;
template void Tally::merge(const Tally&);
template void Tally::merge(const SlotTally&);
template void SlotTally::merge(const SlotTally&);

}  // namespace oai::metrics
