#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "metrics/catalog.hpp"

namespace oai::metrics {

/// How a request ended, for the one who sent it. Exclusive. Decided by the recorder, which saw the bytes.
enum class Outcome : std::uint8_t {
    ok,
    http_4xx,
    http_429,
    http_5xx,
    connect_error,
    tls_error,
    timeout,
    stream_error,
    incomplete,  ///< ended by its own account before it was done; a success when `token_limited`
    truncated,   ///< closed without a terminal event
    malformed,
    cancelled,
    censored,  ///< still in flight at the end: its times are lower bounds
    dropped,   ///< an arrival that was never sent
};
inline constexpr std::size_t kOutcomes = 14;

/// Whose fault a failure is.
enum class Owner : std::uint8_t { none, client, gateway, upstream };

std::string_view name_of(Outcome outcome) noexcept;
std::string_view name_of(Owner owner) noexcept;
std::optional<Outcome> find_outcome(std::string_view name) noexcept;

/// One request. Durations are integer microseconds, floored once at capture; -1 = none.
struct Sample {
    std::int64_t start_us = 0;  ///< scheduled instant, since the run's clock base
    std::int64_t response_us = -1;
    std::int64_t service_us = -1;
    std::int64_t ttfb_us = -1;
    std::int64_t ttfe_us = -1;
    std::int64_t ttft_us = -1;
    std::int64_t tpot_us = -1;
    std::int64_t queue_us = -1;
    std::int64_t overhead_us = -1;
    std::uint32_t stream_id = 0;  ///< index into the run's arrival streams, or the gateway's series
    std::uint32_t input_tokens = 0;
    std::uint32_t output_tokens = 0;
    std::uint16_t http_status = 0;  ///< 0 = none seen
    Outcome outcome = Outcome::ok;
    Owner owner = Owner::none;
    bool stream = false;
    bool token_limited = false;     ///< `incomplete` because of the caller's own token limit
    bool business_limited = false;  ///< refused by our own policy: key, quota, rate, model
    bool upstream_failed =
        false;  ///< at least one attempt failed by the upstream's fault (429/529 apart), recovered or not
    bool upstream_throttled = false;  ///< at least one attempt got 429 or 529
    bool late = false;                ///< a success after its route's `sla_max`; false where there is none

    friend bool operator==(const Sample&, const Sample&) = default;

    // The classes every count is made of. Each request that was sent is exactly one of: success, failure, client error,
    // business-limited.
    bool was_sent() const noexcept { return outcome != Outcome::dropped; }
    bool is_success() const noexcept {
        return outcome == Outcome::ok || (outcome == Outcome::incomplete && token_limited);
    }
    bool is_business_limited() const noexcept { return was_sent() && !is_success() && business_limited; }
    bool is_client_error() const noexcept {
        return was_sent() && !is_success() && !business_limited && owner == Owner::client;
    }
    /// Censored requests are failures: a system that never answers must not pass for one without errors.
    bool is_failure() const noexcept {
        return was_sent() && !is_success() && !is_client_error() && !is_business_limited();
    }
    /// In the denominator of the error rates and of the SLA.
    bool counts_in_rates() const noexcept { return is_success() || is_failure(); }
};

/// Time between two output events of one stream.
struct Gap {
    std::int64_t at_us = 0;  ///< of the later event, since the run's clock base
    std::int64_t gap_us = 0;
    std::uint32_t stream_id = 0;
    friend bool operator==(const Gap&, const Gap&) = default;
};

/// Tries at accounts of one version, for one request.
struct Attempts {
    bool stream = false;  ///< the request's kind
    std::uint32_t count = 0;
    std::uint32_t failed = 0;  ///< by the upstream's fault, 429/529 included
};

/// What `sample` adds to the distribution of `metric`; -1 when it is not of its population (table in docs/metrics.md).
/// `gap` never: it comes from Gap records.
std::int64_t duration_us(const Sample& sample, Duration metric) noexcept;

}  // namespace oai::metrics
