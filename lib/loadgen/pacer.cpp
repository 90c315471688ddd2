#include "loadgen/pacer.hpp"

#include <algorithm>
#include <sys/prctl.h>

namespace oai::loadgen {
namespace {

using core::TimePoint;
using std::chrono::milliseconds;

/// A sleep wakes 50 to 150 us late on a virtual machine, so the last stretch is spun; on a machine with two cores the
/// other one must do for the worker and the target meanwhile, so it stays short.
constexpr std::chrono::microseconds kSpin{200};
/// Of the time between two slots at most one part in this many is spun: 20 % of a core at the highest rates.
constexpr std::uint64_t kSpinShare = 5;
constexpr milliseconds kLongestSleep{50};

void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

}  // namespace

Pacer::Pacer(const Scenario& scenario, RunContext& run, std::span<const std::unique_ptr<Lane>> lanes)
    : scenario_(scenario), run_(run), lanes_(lanes) {
    std::uint64_t milli = 0;
    for (const ArrivalStream& stream : scenario.streams) milli += stream.rate.milli;
    const nanoseconds between = grid_offset(Rate{std::max<std::uint64_t>(milli, 1)}, 1);
    spin_ = std::min<nanoseconds>(kSpin, between / kSpinShare);
}

Pacer::~Pacer() {
    stop();
    if (thread_.joinable()) thread_.join();
}

void Pacer::start() {
    thread_ = std::thread([this] { pace(); });
}

/// False when stopped before.
bool Pacer::wait_until(TimePoint at) noexcept {
    for (;;) {
        if (stop_.load(std::memory_order_relaxed)) return false;
        const TimePoint now = std::chrono::steady_clock::now();
        if (now >= at - spin_) break;
        std::this_thread::sleep_until(std::min<TimePoint>(at - spin_, now + kLongestSleep));
    }
    while (std::chrono::steady_clock::now() < at) relax();
    return true;
}

void Pacer::pace() {
    // The default lets the kernel wake this thread 50 us later than asked, to save wake-ups.
    ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    const ThreadUse before = thread_use();
    std::vector<Rate> rates;
    for (const ArrivalStream& stream : scenario_.streams) rates.push_back(stream.rate);
    Arrivals arrivals(rates, scenario_.duration);
    std::size_t turn = 0;
    while (const std::optional<Arrival> arrival = arrivals.next()) {
        const TimePoint at = run_.start + arrival->offset;
        if (!wait_until(at)) break;
        const bool stream = run_.plans[arrival->stream].stream;
        Claim& claim = claims_.of(stream);
        ++claim.offered;
        offered_.fetch_add(1, std::memory_order_relaxed);
        if (run_.in_flight.load(std::memory_order_relaxed) >= scenario_.max_in_flight) {
            metrics::Sample sample;
            sample.start_us = std::chrono::floor<std::chrono::microseconds>(arrival->offset).count();
            sample.stream_id = arrival->stream;
            sample.stream = stream;
            sample.outcome = metrics::Outcome::dropped;
            dropped_.samples.push_back(sample);
            dropped_count_.fetch_add(1, std::memory_order_relaxed);
            continue;
        }
        ++claim.sent;
        run_.in_flight.fetch_add(1, std::memory_order_relaxed);
        Lane& lane = *lanes_[turn++ % lanes_.size()];
        lane.worker().post([&lane, index = arrival->stream, at] { lane.begin(index, at); });
    }
    wait_until(run_.start + scenario_.duration);
    use_ = thread_use().since(before);
    done_.store(true, std::memory_order_release);
}

}  // namespace oai::loadgen
