#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "metrics/bounds.hpp"
#include "metrics/catalog.hpp"
#include "metrics/histogram.hpp"
#include "metrics/sample.hpp"

namespace oai::metrics {

/// A rate as it is kept, compared and shown: never divided before the last step.
struct Ratio {
    std::uint64_t num = 0;
    std::uint64_t den = 0;
    friend bool operator==(const Ratio&, const Ratio&) = default;
};

/// Which requests: all of them, or those of one kind. Distributions of the two kinds differ too much to be read as one.
enum class Part : std::uint8_t { whole, stream, non_stream };

/// Sums over requests. Every field adds under merge.
struct Counts {
    std::uint64_t offered = 0;  ///< arrivals; claimed by the generator, or as many as there are samples
    std::uint64_t sent = 0;
    std::array<std::uint64_t, kOutcomes> by_outcome{};
    std::uint64_t counted = 0;  ///< in the denominator of the rates: successes and failures
    std::uint64_t failed = 0;
    std::uint64_t late = 0;  ///< successes after their sla_max
    std::uint64_t good = 0;  ///< successes within every goodput limit
    std::uint64_t client_errors = 0;
    std::uint64_t business_limited = 0;
    std::uint64_t upstream_failed = 0;  ///< counted requests with an attempt that failed by the upstream, 429/529 apart
    std::uint64_t upstream_throttled = 0;  ///< counted requests with an attempt answered 429 or 529
    std::uint64_t upstream_troubled = 0;   ///< counted requests with either
    std::uint64_t input_tokens = 0;
    std::uint64_t output_tokens = 0;
    std::uint64_t attempts = 0;          ///< gateway: tries at an account, by the version of the account
    std::uint64_t attempt_failures = 0;  ///< those that the upstream failed, 429/529 included

    std::uint64_t outcome(Outcome which) const noexcept { return by_outcome[static_cast<std::size_t>(which)]; }
    std::uint64_t dropped() const noexcept { return outcome(Outcome::dropped); }
    /// offered = sent + dropped, and sent = the sum of the other classes.
    bool identity_holds() const noexcept;
    Counts& operator+=(const Counts& other) noexcept;
    friend bool operator==(const Counts&, const Counts&) = default;
};

/// Whether the sample's TTFT is in already: a live window records it when the output comes, perhaps in an earlier slot.
enum class Ttft : std::uint8_t { from_sample, recorded_before };

/// Everything a report or a verdict needs to know about a set of requests. Samples go in, in any order; tallies merge
/// exactly. One writer, no locks.
template <class H>
class BasicTally {
public:
    explicit BasicTally(const Bounds& bounds = Bounds::standard());

    void add(const Sample& sample, Ttft ttft = Ttft::from_sample);
    void add_gap(microseconds gap) { record(Duration::gap, true, gap); }
    /// What the tries of a request come to. Apart from the request: they may be another version's.
    void add_attempts(const Attempts& attempts) noexcept;
    /// One duration that is known before its request ends.
    void record(Duration metric, bool stream, microseconds value);
    /// Replaces what the samples say by what the generator counted itself, so that a lost sample shows in the identity.
    void claim(bool stream, std::uint64_t offered, std::uint64_t sent) noexcept;

    /// Exact. Goodput stays known when both sides counted it by the same limits, or one side is empty.
    template <class Other>
    void merge(const BasicTally<Other>& other);

    Counts counts(Part part = Part::whole) const noexcept;
    H histogram(Duration metric, Part part = Part::whole) const;
    /// Empty when the denominator is 0. `with_throttled` counts 429/529 into upstream_error_rate.
    std::optional<Ratio> rate(Rate metric, Part part = Part::whole, bool with_throttled = false) const noexcept;
    /// Of the limits that made a request good; empty when tallies of different ones were merged.
    const std::optional<std::vector<LatencyLimit>>& goodput_limits() const noexcept { return goodput_limits_; }

    /// What the tally consists of, given back by a document that kept it.
    struct Half {
        Counts counts;
        std::array<H, kDurations.size()> histograms;
    };
    static BasicTally from_halves(Half stream, Half non_stream,
                                  std::optional<std::vector<LatencyLimit>> goodput_limits);

private:
    template <class>
    friend class BasicTally;

    bool is_good(const Sample& sample) const noexcept;

    Half stream_, non_stream_;
    std::optional<std::vector<LatencyLimit>> goodput_limits_;
};

/// For workers, reports and sums: 3.7 MB, adding allocates nothing.
using Tally = BasicTally<Histogram>;
/// For one slot of one series of a gateway: a few KB.
using SlotTally = BasicTally<SparseHistogram>;

extern template class BasicTally<Histogram>;
extern template class BasicTally<SparseHistogram>;

}  // namespace oai::metrics
