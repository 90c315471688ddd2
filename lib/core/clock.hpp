#pragma once

#include <chrono>

namespace oai::core {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

/// Measures. Steady: a step of the wall clock moves nothing.
using TimePoint = std::chrono::steady_clock::time_point;
/// Labels. Never used to measure.
using WallTime = std::chrono::system_clock::time_point;

/// Passed in wherever time matters, so that tests decide what time it is.
class Clock {
public:
    virtual ~Clock() = default;
    virtual TimePoint now() const noexcept = 0;
    virtual WallTime wall_now() const noexcept = 0;
};

/// The machine's clocks.
const Clock& system_clock() noexcept;

/// A clock that stands until it is moved. For tests and for replays.
class ManualClock final : public Clock {
public:
    TimePoint now() const noexcept override { return now_; }
    WallTime wall_now() const noexcept override { return wall_; }
    void advance(nanoseconds by) noexcept {
        now_ += by;
        wall_ += std::chrono::duration_cast<WallTime::duration>(by);
    }
    void set_wall(WallTime wall) noexcept { wall_ = wall; }

private:
    TimePoint now_{std::chrono::hours{1}};
    WallTime wall_{std::chrono::hours{24 * 365 * 50}};
};

/// Duration between two stamps, floored once to integer microseconds. Precondition: `to` is not before `from`.
inline microseconds elapsed_us(TimePoint from, TimePoint to) noexcept {
    return std::chrono::floor<microseconds>(to - from);
}

}  // namespace oai::core
