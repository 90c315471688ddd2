#include "metrics/sample.hpp"

namespace oai::metrics {
namespace {

constexpr std::array<std::string_view, kOutcomes> kOutcomeNames = {
    "ok",           "http_4xx",   "http_429",  "http_5xx",  "connect_error", "tls_error", "timeout",
    "stream_error", "incomplete", "truncated", "malformed", "cancelled",     "censored",  "dropped"};

constexpr std::array<std::string_view, 4> kOwnerNames = {"none", "client", "gateway", "upstream"};

/// Ended because time ran out or the connection did: the time taken is a lower bound of what the answer would have
/// needed, so leaving it out would make a system that hangs look fast. A 504 is a timeout told by somebody in between.
bool ended_waiting(const Sample& sample) noexcept {
    return sample.outcome == Outcome::timeout || sample.outcome == Outcome::censored ||
           sample.outcome == Outcome::truncated || sample.http_status == 504;
}

}  // namespace

std::string_view name_of(Outcome outcome) noexcept {
    return kOutcomeNames[static_cast<std::size_t>(outcome)];
}

std::string_view name_of(Owner owner) noexcept {
    return kOwnerNames[static_cast<std::size_t>(owner)];
}

std::optional<Outcome> find_outcome(std::string_view name) noexcept {
    for (std::size_t i = 0; i < kOutcomes; ++i) {
        if (kOutcomeNames[i] == name) return static_cast<Outcome>(i);
    }
    return std::nullopt;
}

std::int64_t duration_us(const Sample& sample, Duration metric) noexcept {
    const bool success = sample.is_success();
    const auto when = [](bool included, std::int64_t us) { return included ? us : -1; };
    switch (metric) {
        case Duration::response: return when(success, sample.response_us);
        case Duration::response_penalised:
            return when(success || (sample.is_failure() && ended_waiting(sample)), sample.response_us);
        case Duration::service: return when(success, sample.service_us);
        case Duration::ttfb: return when(success, sample.ttfb_us);
        case Duration::ttfe: return when(success && sample.stream, sample.ttfe_us);
        // Not only successes: the output was seen, whatever became of the stream.
        case Duration::ttft: return when(sample.stream && sample.was_sent(), sample.ttft_us);
        case Duration::tpot: return when(success && sample.stream, sample.tpot_us);
        case Duration::gap: return -1;
        case Duration::queue: return when(sample.was_sent(), sample.queue_us);
        case Duration::overhead: return when(sample.was_sent(), sample.overhead_us);
    }
    return -1;
}

}  // namespace oai::metrics
