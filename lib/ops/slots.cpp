#include "ops/slots.hpp"

#include <algorithm>

namespace oai::ops {

metrics::SlotTally& Slots::tally(Ring& ring, std::int64_t slot, SeriesId series) {
    return ring[slot].try_emplace(series, bounds_).first->second;
}

template <class F>
void Slots::place(SeriesId series, std::int64_t at_us, F put) {
    const std::int64_t fine = index(at_us, kLevels[0].width);
    if (last_.tally == nullptr || last_.slot != fine || last_.series != series)
        last_ = {.slot = fine, .series = series, .tally = &tally(levels_[0], fine, series)};
    put(*last_.tally);
    if (fine >= first_open_) return;
    // Late, or imported: its fine slot is closed, so nobody will carry it to the coarse ones.
    for (std::size_t level = 1; level < kLevels.size(); ++level)
        put(tally(levels_[level], index(at_us, kLevels[level].width), series));
}

void Slots::add(SeriesId series, std::int64_t at_us, const metrics::Sample& sample) {
    place(series, at_us, [&](metrics::SlotTally& into) { into.add(sample); });
}

void Slots::add_attempts(SeriesId series, std::int64_t at_us, const metrics::Attempts& attempts) {
    place(series, at_us, [&](metrics::SlotTally& into) { into.add_attempts(attempts); });
}

void Slots::add_gap(SeriesId series, std::int64_t at_us, microseconds gap) {
    place(series, at_us, [&](metrics::SlotTally& into) { into.add_gap(gap); });
}

void Slots::advance(std::int64_t now_us) {
    const std::int64_t open = index(now_us, kLevels[0].width);
    for (auto at = levels_[0].lower_bound(first_open_); at != levels_[0].end() && at->first < open; ++at) {
        const std::int64_t start_us = at->first * microseconds(kLevels[0].width).count();
        for (const auto& [series, closed] : at->second) {
            for (std::size_t level = 1; level < kLevels.size(); ++level)
                tally(levels_[level], index(start_us, kLevels[level].width), series).merge(closed);
        }
    }
    first_open_ = std::max(first_open_, open);
    last_ = {};
    for (std::size_t level = 0; level < kLevels.size(); ++level) {
        const std::int64_t oldest = index(now_us, kLevels[level].width) - kLevels[level].count;
        levels_[level].erase(levels_[level].begin(), levels_[level].lower_bound(oldest));
    }
}

Slots::Window Slots::window(std::int64_t start_us, std::int64_t end_us, std::int64_t now_us) const noexcept {
    Window window;
    for (const Level& level : kLevels) {
        window.slot = level.width;
        if (index(start_us, level.width) >= index(now_us, level.width) - level.count) break;
    }
    const std::int64_t width = microseconds(window.slot).count();
    window.start_us = start_us / width * width;
    window.end_us = (end_us + width - 1) / width * width;
    return window;
}

}  // namespace oai::ops
