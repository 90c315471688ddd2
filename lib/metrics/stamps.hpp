#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "core/clock.hpp"
#include "metrics/sample.hpp"

namespace oai::metrics {

/// When things happened to one request (MEASUREMENT 1). An empty stamp did not happen. One stamp per read(), given to
/// every event that read completed. The gateway and the load generator fill the same struct, and fill_durations() is
/// the only place that subtracts.
struct Stamps {
    core::TimePoint scheduled{};  ///< load run: the instant the plan asked for; gateway: request head received
    std::optional<core::TimePoint> sent = {};
    std::optional<core::TimePoint> first_byte = {};    ///< status line
    std::optional<core::TimePoint> first_event = {};   ///< first server-sent event that is no comment
    std::optional<core::TimePoint> first_output = {};  ///< first event with output of the model
    std::optional<core::TimePoint> last_output = {};
    std::optional<core::TimePoint> end = {};
};

/// Fills response, service, ttfb, ttfe, ttft and tpot of `sample`, each floored once; what has no stamps stays -1.
/// `sample.stream` must be set: ttfe, ttft and tpot belong to streams. `output_tokens` as the server counted them; tpot
/// needs at least 2. Precondition: stamps are not before those they are measured from.
inline void fill_durations(Sample& sample, const Stamps& stamps, std::optional<std::uint32_t> output_tokens) noexcept {
    using Stamp = std::optional<core::TimePoint>;
    const auto between = [](const Stamp& from, const Stamp& to) {
        return from && to ? core::elapsed_us(*from, *to).count() : std::int64_t{-1};
    };
    const Stamp scheduled = stamps.scheduled;
    sample.response_us = between(scheduled, stamps.end);
    sample.service_us = between(stamps.sent, stamps.end);
    sample.ttfb_us = between(scheduled, stamps.first_byte);
    sample.ttfe_us = sample.stream ? between(scheduled, stamps.first_event) : -1;
    sample.ttft_us = sample.stream ? between(scheduled, stamps.first_output) : -1;
    sample.tpot_us = -1;
    if (sample.stream && stamps.first_output && stamps.last_output && output_tokens.value_or(0) >= 2)
        sample.tpot_us = std::chrono::floor<std::chrono::microseconds>((*stamps.last_output - *stamps.first_output) /
                                                                       (std::int64_t{*output_tokens} - 1))
                             .count();
}

}  // namespace oai::metrics
