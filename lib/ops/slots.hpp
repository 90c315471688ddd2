#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>

#include "metrics/sample.hpp"
#include "metrics/tally.hpp"

namespace oai::ops {

using std::chrono::microseconds;
using std::chrono::seconds;

/// Index of a series in the collector's table.
using SeriesId = std::uint32_t;

/// Time-sliced tallies of every series: 10 s slots for 1 h, 1 min for 24 h, 10 min for 30 d. A request lies in the slot
/// in which it ended. Times are microseconds since the epoch by a clock that does not step: wall clock at start +
/// steady time since. Coarser slots are filled when a fine one closes, by exact merging; not thread-safe.
class Slots {
public:
    struct Level {
        seconds width;
        std::int64_t count;  ///< slots kept
    };
    static constexpr std::array<Level, 3> kLevels{{{seconds{10}, 360}, {seconds{60}, 1440}, {seconds{600}, 4320}}};

    explicit Slots(const metrics::Bounds& bounds) : bounds_(bounds) {}

    void add(SeriesId series, std::int64_t at_us, const metrics::Sample& sample);
    void add_attempts(SeriesId series, std::int64_t at_us, const metrics::Attempts& attempts);
    void add_gap(SeriesId series, std::int64_t at_us, microseconds gap);
    /// Closes fine slots that ended before `now_us` and forgets what is too old.
    void advance(std::int64_t now_us);

    struct Window {
        std::int64_t start_us = 0;  ///< rounded outward to slots
        std::int64_t end_us = 0;
        seconds slot{10};
    };
    /// The window really used for [start, end): the finest level that still keeps its start.
    Window window(std::int64_t start_us, std::int64_t end_us, std::int64_t now_us) const noexcept;
    /// Calls `visit(series, tally)` for every series of every slot in the window.
    template <class F>
    void visit(const Window& window, F visit) const {
        for (std::size_t level = 0; level < kLevels.size(); ++level) {
            if (kLevels[level].width != window.slot) continue;
            visit_level(levels_[level], kLevels[level].width, window, visit);
            // What is not closed yet is in no coarse slot: it is read where it lies.
            if (level != 0) visit_open(window, visit);
        }
    }

private:
    using Slot = std::map<SeriesId, metrics::SlotTally>;
    using Ring = std::map<std::int64_t, Slot>;  ///< by slot index; holes cost nothing

    static std::int64_t index(std::int64_t at_us, seconds width) noexcept {
        return at_us / microseconds(width).count();
    }
    metrics::SlotTally& tally(Ring& ring, std::int64_t slot, SeriesId series);
    template <class F>
    void place(SeriesId series, std::int64_t at_us, F put);
    template <class F>
    static void visit_level(const Ring& ring, seconds width, const Window& window, F& visit) {
        const std::int64_t first = index(window.start_us, width), last = index(window.end_us - 1, width);
        for (auto at = ring.lower_bound(first); at != ring.end() && at->first <= last; ++at) {
            for (const auto& [series, tally] : at->second) visit(series, tally);
        }
    }
    template <class F>
    void visit_open(const Window& window, F& visit) const {
        Window open = window;
        open.start_us = std::max(window.start_us, first_open_ * microseconds(kLevels[0].width).count());
        if (open.start_us < open.end_us) visit_level(levels_[0], kLevels[0].width, open, visit);
    }

    metrics::Bounds bounds_;
    std::array<Ring, kLevels.size()> levels_;
    std::int64_t first_open_ = 0;  ///< index of the first fine slot that is not closed
    /// The fine slot's tally that was used last: most requests end in the slot and the series of the one before.
    struct Last {
        std::int64_t slot = 0;
        SeriesId series = 0;
        metrics::SlotTally* tally = nullptr;  ///< null when there is none; good until its slot is forgotten
    };
    Last last_;
};

}  // namespace oai::ops
