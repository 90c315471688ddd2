#include "loadgen/driver.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "core/ids.hpp"
#include "core/units.hpp"
#include "loadgen/environment.hpp"
#include "loadgen/pacer.hpp"
#include "loadgen/run_header.hpp"
#include "loadgen/self.hpp"

namespace oai::loadgen {

using core::Error;
using core::Result;
using core::TimePoint;
using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

/// Threads start and settle meanwhile; nothing of it falls into the first slots.
constexpr milliseconds kRunUp{20};
constexpr milliseconds kTick{10};
/// A timeout is noticed up to 50 ms late; what is still there after that is stuck.
constexpr milliseconds kGraceBeyondTimeout{250};
/// A request begun up to the lag limit after the window still counts as begun in it.
constexpr milliseconds kLateness{1};

/// One run. Everything here is on the caller's thread; workers and pacer are asked by messages.
class Driver {
public:
    Driver(const Scenario& scenario, const RunOptions& options) : scenario_(scenario), options_(options) {}

    Result<report::BaselineReport> run(const Target& target);

private:
    void prepare(const Target& target);
    void drive();
    void collect();
    void end_workers();
    void tell_progress(TimePoint now);
    report::Generator generator() const;
    void fill(report::BaselineReport& report) const;
    bool interrupted() const noexcept {
        return options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed);
    }
    static TimePoint now() noexcept { return std::chrono::steady_clock::now(); }

    const Scenario& scenario_;
    const RunOptions& options_;
    RunContext context_;
    std::optional<Recorder> recorder_;

    std::mutex inbox_mutex_;
    Batch inbox_;
    std::vector<ThreadUse> use_;  ///< per lane: at the start, then of the window

    bool interrupted_ = false;
    nanoseconds window_{};  ///< in which arrivals were made
    nanoseconds real_{};
    std::optional<Error> write_failed_;

    // Their threads use what stands above: they go first.
    std::vector<std::unique_ptr<Lane>> lanes_;
    std::unique_ptr<Pacer> pacer_;
};

/// Asks every worker for its records; they arrive in the inbox. What came since the last time goes to the recorder.
void Driver::collect() {
    for (const std::unique_ptr<Lane>& lane : lanes_) {
        lane->worker().post([this, &log = lane->log()] {
            const std::lock_guard lock(inbox_mutex_);
            inbox_.append(std::move(log.batch));
        });
    }
    Batch arrived;
    {
        const std::lock_guard lock(inbox_mutex_);
        std::swap(arrived, inbox_);
    }
    recorder_->take(std::move(arrived));
    const Result<void> flushed = recorder_->flush();
    if (!flushed && !write_failed_) write_failed_ = flushed.error();
}

void Driver::tell_progress(TimePoint at) {
    if (!options_.on_progress) return;
    Progress progress{.elapsed = at - context_.start,
                      .planned = scenario_.duration,
                      .offered = pacer_->offered_approx(),
                      .finished = context_.finished.load(std::memory_order_relaxed),
                      .failed = context_.failed.load(std::memory_order_relaxed),
                      .dropped = pacer_->dropped_approx(),
                      .in_flight = context_.in_flight.load(std::memory_order_relaxed),
                      .lag_max = microseconds{context_.lag_max_us.load(std::memory_order_relaxed)}};
    progress.response_p99 = recorder_->totals().tally.histogram(metrics::Duration::response).percentile(metrics::p99);
    options_.on_progress(progress);
}

void Driver::prepare(const Target& target) {
    context_.target = target;
    context_.plans = make_plans(scenario_, target);
    context_.timeout = scenario_.timeout;
    for (unsigned i = 0; i < std::max(options_.workers, 1U); ++i) lanes_.push_back(std::make_unique<Lane>(context_, i));
    use_.resize(lanes_.size());
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
        lanes_[i]->worker().start();
        lanes_[i]->worker().post([this, i] { use_[i] = thread_use(); });
    }
}

/// From the first slot to the last answer, or to the end of what may be waited for.
void Driver::drive() {
    pacer_->start();
    const TimePoint planned_end = context_.start + scenario_.duration;
    const TimePoint latest = planned_end + scenario_.timeout + kGraceBeyondTimeout;
    TimePoint next_progress = context_.start + options_.progress_every;
    bool window_open = true;
    for (;;) {
        std::this_thread::sleep_for(kTick);
        const TimePoint at = now();
        if (!interrupted_ && interrupted()) {
            interrupted_ = true;
            pacer_->stop();
        }
        if (window_open && pacer_->done()) {
            window_open = false;
            window_ = std::max<nanoseconds>(std::min(at, planned_end) - context_.start, nanoseconds{1});
            // Waiting for slow answers is no work: the generator is judged on the time in which it made arrivals.
            for (std::size_t i = 0; i < lanes_.size(); ++i)
                lanes_[i]->worker().post([this, i] { use_[i] = thread_use().since(use_[i]); });
        }
        if (at >= next_progress) {
            next_progress = at + options_.progress_every;
            collect();
            tell_progress(at);
        }
        if (window_open) continue;
        if (interrupted_ || at >= latest || context_.in_flight.load(std::memory_order_acquire) == 0) break;
    }
}

void Driver::end_workers() {
    real_ = now() - context_.start;
    for (const std::unique_ptr<Lane>& lane : lanes_) {
        lane->worker().post([&lane = *lane] { lane.censor(); });
        lane->worker().stop();
    }
    for (const std::unique_ptr<Lane>& lane : lanes_) lane->worker().join();
    recorder_->take(std::move(inbox_));
    for (const std::unique_ptr<Lane>& lane : lanes_) recorder_->take(std::move(lane->log().batch));
    recorder_->take(pacer_->take_dropped());
}

report::Generator Driver::generator() const {
    report::Generator generator;
    metrics::Histogram lag;
    std::uint64_t in_time = 0;
    ThreadUse busiest = pacer_->use();
    std::uint64_t switches = busiest.involuntary_switches;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
        lag.merge(lanes_[i]->log().lag);
        in_time += lanes_[i]->log().begun_in_time;
        busiest.cpu = std::max(busiest.cpu, use_[i].cpu);
        switches += use_[i].involuntary_switches;
    }
    generator.lag_p50 = lag.percentile(metrics::p50);
    generator.lag_p99 = lag.percentile(metrics::p99);
    generator.lag_max = lag.max();
    generator.cpu_bp = busiest.cpu.count() / std::max<std::int64_t>(window_.count() / 10'000, 1);
    generator.rss_bytes = peak_rss_bytes();
    generator.involuntary_switches = switches;
    const Claims& claims = pacer_->claims();
    generator.offered = claims.stream.offered + claims.non_stream.offered;
    generator.dropped = generator.offered - claims.stream.sent - claims.non_stream.sent;
    if (generator.offered != 0) generator.achieved = metrics::Ratio{in_time, generator.offered};
    judge_self(generator);
    if (interrupted_)
        invalidate(generator, "interrupted after " + core::format_ms(window_.count() / 1000) + " ms of " +
                                  core::format_duration(scenario_.duration));
    return generator;
}

void Driver::fill(report::BaselineReport& report) const {
    report.real = std::chrono::floor<microseconds>(real_);
    report.generator = generator();
    ErrorLog errors;
    std::uint64_t retried = 0, no_done = 0, closed_after_end = 0, escaped = 0;
    for (const std::unique_ptr<Lane>& lane : lanes_) {
        const WorkerLog& log = lane->log();
        errors.merge(log.errors);
        retried += log.retried;
        no_done += log.no_done;
        closed_after_end += log.closed_after_end;
        escaped += lane->worker().escaped_exceptions();
    }
    report.errors = errors.classes();
    const auto warn = [&](const char* name, std::uint64_t count, const char* text) {
        if (count != 0) report.warnings.push_back({.name = name, .count = count, .text = text});
    };
    warn("retried_connection", retried,
         "sent again on a fresh connection: the kept one had been closed before a byte of the answer came");
    warn("no_done", no_done, "chat streams that ended well without [DONE]");
    warn("closed_after_end", closed_after_end, "streams whose connection broke after their terminal event");
    warn("escaped_exception", escaped, "requests lost to an exception in the generator");
}

Result<report::BaselineReport> Driver::run(const Target& target) {
    prepare(target);
    const core::Clock& clock = core::system_clock();
    context_.start = clock.now() + kRunUp;
    context_.window_end = context_.start + scenario_.duration + kLateness;
    RunFacts facts = begin_facts(scenario_, target, clock.wall_now() + kRunUp);
    Result<Recorder> recorder = Recorder::create(options_.samples, write_header(facts));
    if (!recorder) return std::move(recorder.error());
    recorder_ = std::move(*recorder);
    pacer_ = std::make_unique<Pacer>(scenario_, context_, lanes_);
    drive();
    end_workers();
    fill(facts.report);
    facts.claims = pacer_->claims();
    facts.complete = true;
    const Result<void> finished = recorder_->finish(write_header(facts));
    if (!finished && !write_failed_) write_failed_ = finished.error();
    // The report of a run is worth more than its file: a full disk at the end must not cost both.
    if (write_failed_) facts.report.notes.push_back("the samples file is not whole: " + write_failed_->detail);
    return conclude(std::move(facts), std::move(recorder_->totals()));
}

}  // namespace

Result<report::BaselineReport> run(const Scenario& scenario, const Target& target, const RunOptions& options) {
    const Result<void> valid = validate(scenario);
    if (!valid) return valid.error();
    Driver driver(scenario, options);
    return driver.run(target);
}

}  // namespace oai::loadgen
