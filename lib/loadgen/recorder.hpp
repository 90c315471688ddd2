#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "metrics/histogram.hpp"
#include "metrics/sample.hpp"
#include "metrics/samples_file.hpp"
#include "metrics/tally.hpp"
#include "report/baseline.hpp"
#include "report/exact.hpp"

namespace oai::loadgen {

/// Raw records on their way from a worker to the recorder.
struct Batch {
    std::vector<metrics::Sample> samples;
    std::vector<metrics::Gap> gaps;

    void append(Batch&& other);
};

/// What failures said: the first few different messages of each class, and how often. One writer.
class ErrorLog {
public:
    static constexpr std::size_t kExamplesPerOutcome = 5;

    /// `message` is fit for a report: presentable().
    void add(metrics::Outcome outcome, std::uint16_t http_status, std::string_view message, std::uint64_t count = 1);
    void merge(const report::ErrorClass& other);
    void merge(const ErrorLog& other);
    /// Classes that occurred, in the order of the outcomes; examples by count.
    std::vector<report::ErrorClass> classes() const;

private:
    std::array<report::ErrorClass, metrics::kOutcomes> by_outcome_;
};

/// What one worker wrote down. Touched by its thread only until that has ended.
struct WorkerLog {
    Batch batch;
    metrics::Histogram lag;              ///< scheduled to picked up by the worker
    std::uint64_t begun_in_time = 0;     ///< before the end of the window
    std::uint64_t retried = 0;           ///< sent again on a fresh connection: the kept one had been closed
    std::uint64_t no_done = 0;           ///< a chat stream that ended well without [DONE]
    std::uint64_t closed_after_end = 0;  ///< cut, but only after the terminal event
    ErrorLog errors;
};

/// Arrivals as the generator counted them: they must add up with the samples (accounting identity).
struct Claim {
    std::uint64_t offered = 0;
    std::uint64_t sent = 0;
};
/// By kind.
struct Claims {
    Claim stream, non_stream;
    Claim& of(bool is_stream) noexcept { return is_stream ? stream : non_stream; }
    const Claim& of(bool is_stream) const noexcept { return is_stream ? stream : non_stream; }
    Claims& operator+=(const Claims& other) noexcept;
};

/// Everything made of raw records: the live run and a samples file both go through here, so both give the same numbers.
struct Totals {
    metrics::Tally tally;
    report::ExactPercentiles exact;

    void add(const metrics::Sample& sample) {
        tally.add(sample);
        exact.add(sample);
    }
    void add(const metrics::Gap& gap) {
        tally.add_gap(std::chrono::microseconds{gap.gap_us});
        exact.add(gap);
    }
};

/// Collects the records of a run, on the thread that drives it. The file grows during the run, so a killed run keeps
/// what was written until then; its header is replaced at the end by one that knows the whole run.
class Recorder {
public:
    /// `path` empty: no file.
    static core::Result<Recorder> create(std::filesystem::path path, std::string_view header);

    void take(Batch batch);
    /// Writes through what was taken.
    core::Result<void> flush();
    /// Closes the file, with `header` in the place of the first one.
    core::Result<void> finish(std::string_view header);

    Totals& totals() noexcept { return totals_; }
    const Totals& totals() const noexcept { return totals_; }

private:
    Recorder() = default;

    std::filesystem::path path_;
    std::optional<metrics::SamplesWriter> file_;
    Totals totals_;
};

}  // namespace oai::loadgen
