#include "loadgen/rereport.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <utility>
#include <vector>

#include "core/units.hpp"
#include "loadgen/run_header.hpp"
#include "loadgen/self.hpp"
#include "metrics/samples_file.hpp"

namespace oai::loadgen {

using core::Code;
using core::Error;
using core::Result;
using std::chrono::microseconds;

namespace {

struct Window {
    core::WallTime from{};
    microseconds length{};
    core::WallTime to() const { return from + length; }
};

/// How long at least one of them ran: runs after each other add up, runs at the same time do not.
microseconds covered(std::vector<Window> windows) {
    std::sort(windows.begin(), windows.end(), [](const Window& a, const Window& b) { return a.from < b.from; });
    microseconds sum{0};
    core::WallTime until = core::WallTime::min();
    for (const Window& window : windows) {
        const core::WallTime from = std::max(window.from, until);
        if (window.to() <= from) continue;
        sum += std::chrono::floor<microseconds>(window.to() - from);
        until = window.to();
    }
    return sum;
}

template <class T>
void keep_largest(std::optional<T>& ours, const std::optional<T>& theirs) {
    if (theirs && (!ours || *ours < *theirs)) ours = theirs;
}

void merge_generator(report::Generator& ours, const report::Generator& theirs, const std::string& run_id) {
    ours.lag_p50.reset();  // percentiles are never averaged, and their samples are gone
    ours.lag_p99.reset();
    keep_largest(ours.lag_max, theirs.lag_max);
    keep_largest(ours.cpu_bp, theirs.cpu_bp);
    keep_largest(ours.rss_bytes, theirs.rss_bytes);
    if (ours.involuntary_switches && theirs.involuntary_switches) {
        *ours.involuntary_switches += *theirs.involuntary_switches;
    } else {
        ours.involuntary_switches.reset();
    }
    ours.offered += theirs.offered;
    ours.dropped += theirs.dropped;
    if (ours.achieved && theirs.achieved) {
        ours.achieved->num += theirs.achieved->num;
        ours.achieved->den += theirs.achieved->den;
    } else {
        ours.achieved.reset();
    }
    for (const std::string& reason : theirs.reasons) invalidate(ours, reason + " (run " + run_id + ")");
    ours.valid = ours.valid && theirs.valid;
}

void merge_findings(report::BaselineReport& ours, const report::BaselineReport& theirs) {
    ErrorLog errors;
    for (const report::ErrorClass& of : ours.errors) errors.merge(of);
    for (const report::ErrorClass& of : theirs.errors) errors.merge(of);
    ours.errors = errors.classes();
    for (const report::Warning& warning : theirs.warnings) {
        const auto same = std::find_if(ours.warnings.begin(), ours.warnings.end(),
                                       [&](const report::Warning& w) { return w.name == warning.name; });
        if (same != ours.warnings.end()) {
            same->count += warning.count;
        } else {
            ours.warnings.push_back(warning);
        }
    }
}

/// Facts of one file; its samples go to `totals`.
Result<RunFacts> read_run(const std::filesystem::path& path, Totals& totals) {
    Result<metrics::SamplesReader> reader = metrics::SamplesReader::open(path);
    if (!reader) return std::move(reader.error());
    Result<RunFacts> facts = read_header(reader->header());
    if (!facts) {
        facts.error().detail = path.string() + ": " + facts.error().detail;
        return facts;
    }
    std::int64_t last_us = 0;
    Claims seen;
    const auto on_samples = [&](std::span<const metrics::Sample> samples) {
        for (const metrics::Sample& sample : samples) {
            totals.add(sample);
            last_us = std::max(last_us, sample.start_us + std::max<std::int64_t>(sample.response_us, 0));
            ++seen.of(sample.stream).offered;
            if (sample.was_sent()) ++seen.of(sample.stream).sent;
        }
    };
    const auto on_gaps = [&](std::span<const metrics::Gap> gaps) {
        for (const metrics::Gap& gap : gaps) totals.add(gap);
    };
    const Result<metrics::SamplesRead> read = reader->read(on_samples, on_gaps);
    if (!read) return read.error();
    report::BaselineReport& report = facts->report;
    if (!facts->complete) {
        facts->claims = seen;
        facts->complete = true;
        report.real = microseconds{last_us};
        report.generator.offered = seen.stream.offered + seen.non_stream.offered;
        report.generator.dropped = report.generator.offered - seen.stream.sent - seen.non_stream.sent;
        invalidate(report.generator, "incomplete samples file: the run did not come to its end");
    }
    if (read->ignored_bytes != 0)
        report.notes.push_back(path.filename().string() + ": cut in its last block; " +
                               std::to_string(read->ignored_bytes) + " bytes were left out");
    return facts;
}

}  // namespace

Result<report::BaselineReport> report_from_samples(std::span<const std::filesystem::path> files) {
    if (files.empty()) return Error{.code = Code::invalid_argument, .detail = "no samples file was given"};
    Totals totals;
    std::optional<RunFacts> merged;
    std::vector<Window> planned, real;
    std::vector<std::string> run_ids;
    for (const std::filesystem::path& file : files) {
        Result<RunFacts> facts = read_run(file, totals);
        if (!facts) return std::move(facts.error());
        report::BaselineReport& report = facts->report;
        if (std::find(run_ids.begin(), run_ids.end(), report.run_id) != run_ids.end())
            return Error{
                .code = Code::invalid_argument,
                .detail = file.string() + ": run " + report.run_id + " is given twice; its samples would count twice"};
        run_ids.push_back(report.run_id);
        planned.push_back({report.started, report.planned});
        real.push_back({report.started, report.real});
        if (!merged) {
            merged = std::move(*facts);
            continue;
        }
        report::BaselineReport& ours = merged->report;
        if (ours.config_hash != report.config_hash || ours.embedded != report.embedded)
            return Error{.code = Code::invalid_argument,
                         .detail = file.string() + ": its scenario is not that of " + files.front().string() +
                                   "; only runs of one scenario can be merged"};
        if (ours.target != report.target) ours.target += " " + report.target;
        merged->claims += facts->claims;
        merge_generator(ours.generator, report.generator, report.run_id);
        merge_findings(ours, report);
        ours.started = std::min(ours.started, report.started);
        ours.notes.insert(ours.notes.end(), report.notes.begin(), report.notes.end());
    }
    if (files.size() > 1) {
        report::BaselineReport& ours = merged->report;
        ours.planned = covered(std::move(planned));
        ours.real = covered(std::move(real));
        std::string note = "merged from " + std::to_string(files.size()) + " runs:";
        for (const std::string& id : run_ids) note += " " + id;
        ours.notes.insert(ours.notes.begin(), note);
    }
    return conclude(std::move(*merged), std::move(totals));
}

}  // namespace oai::loadgen
