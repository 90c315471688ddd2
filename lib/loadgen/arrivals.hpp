#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace oai::loadgen {

using std::chrono::nanoseconds;

/// Requests per second in thousandths, so that half a request per second is a whole number.
struct Rate {
    static constexpr std::uint64_t kMostMilli = 1'000'000'000;  ///< a million per second

    std::uint64_t milli = 0;
    friend bool operator==(const Rate&, const Rate&) = default;
};

/// "8", "0.5", "12.25": requests per second with up to three decimals, at most 1000000. 0 is none.
core::Result<Rate> parse_rate(std::string_view text);
std::string format_rate(Rate rate);

/// When the i-th arrival of a constant rate is due after the start: floor(i / rate), exactly, for every i. Each slot
/// comes from its number and never from the slot before, so nothing drifts. Precondition: `rate` is not 0.
nanoseconds grid_offset(Rate rate, std::uint64_t i) noexcept;

struct Arrival {
    nanoseconds offset{};      ///< since the start of the run
    std::uint32_t stream = 0;  ///< index of its stream
    std::uint64_t number = 0;  ///< within its stream, from 0
    friend bool operator==(const Arrival&, const Arrival&) = default;
};

/// The plan of a run: every arrival of all its streams in the order of time, those at the same instant in the order of
/// the streams. Knows nothing of the clock and of answers. An arrival at `duration` is not part of the run.
///
/// A lane makes the instants of one stream. Constant rates are the only law so far; another one is another way to
/// advance a lane.
class Arrivals {
public:
    Arrivals(std::span<const Rate> streams, nanoseconds duration);

    /// The next one; empty when the run is over.
    std::optional<Arrival> next() noexcept;

private:
    struct Lane {
        Rate rate;
        Arrival upcoming;
    };
    std::vector<Lane> lanes_;
    nanoseconds duration_;
};

}  // namespace oai::loadgen
