#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "mock/distribution.hpp"
#include "mock/fault.hpp"
#include "mock/tokens.hpp"
#include "mock/turns.hpp"

namespace oai::mock {

/// Which share of the requests goes wrong, and how. Shares in basis points; together at most 10000, since one request
/// has one fault.
struct FaultRates {
    std::int64_t error_bp = 0;
    int error_status = 500;
    std::int64_t hang_bp = 0;
    std::int64_t stall_bp = 0;
    std::int64_t cut_bp = 0;
    std::int64_t error_event_bp = 0;
    std::int64_t slow_bp = 0;
    Distribution slow;  ///< how much later a slow answer comes
    /// Any fault by its share.
    struct Share {
        std::int64_t share_bp = 0;
        Fault fault;
    };
    std::vector<Share> more = {};
};

/// All requests that are received between two times since the start.
struct ScheduledFault {
    std::chrono::nanoseconds from{0};
    std::chrono::nanoseconds to{0};
    Fault fault;
};

/// All requests that show one credential: one of several accounts behind a gateway.
struct KeyFault {
    std::string key;
    Fault fault;
};

/// What the mock does with requests. A value: the server publishes a new one whole.
struct Behaviour {
    Distribution first_byte;  ///< receipt -> status line; of a stream also its events before the first output
    Distribution ttft;        ///< receipt -> first output event of a stream
    Distribution gap;         ///< between two output events
    Distribution latency;     ///< receipt -> an answer that is no stream
    Distribution tokens = Distribution::constant(16);  ///< output tokens; one output event each
    FaultRates faults;
    std::vector<ScheduledFault> schedule;
    std::vector<KeyFault> key_faults;
    std::chrono::nanoseconds retry_after{std::chrono::seconds{1}};  ///< with a 429 or 503
    bool gzip = false;                                              ///< every answer, whatever was asked for
    std::vector<std::string> api_keys;  ///< one of these must be shown; empty: nothing needs to be
    OAuthRules oauth;
    bool websocket = true;  ///< GET /v1/responses may be upgraded; otherwise it is a 405 like any other wrong method
    std::vector<std::string> models = {"gpt-5-mini", "gpt-4o-mini", "mock"};
};

/// What a decision depends on, besides the behaviour and the seed.
struct RequestFacts {
    std::uint64_t number = 0;  ///< of the request, from 1 in order of receipt
    std::string_view model;
    std::string_view fault;    ///< of the x-mock-fault header; empty when there is none
    std::string_view key;      ///< the credential that was shown
    std::string_view session;  ///< that the request names; empty when it names none
    std::chrono::nanoseconds since_start{0};
    Turns* turns = nullptr;  ///< counts for fail-<n>-times; null: every request is the first
    bool stream = false;
    std::optional<std::int64_t> max_tokens;  ///< the caller's limit
};

/// How one request is answered. All times are since its receipt, so that being late once does not add up.
struct Plan {
    Fault fault;  ///< of a stream, `after` is always set for the kinds that have it
    std::chrono::nanoseconds first_byte{0};
    std::chrono::nanoseconds first_output{0};  ///< of a stream; of a whole answer all of it
    bool stream = false;                       ///< asked for, and not made a whole answer by the fault
    bool gzip = false;
    unsigned output_tokens = 0;
    bool incomplete = false;  ///< the caller's limit cut it short

    /// Distance from output event to output event; call it once per event.
    std::chrono::nanoseconds next_gap() noexcept { return std::chrono::nanoseconds{gap.sample(gap_draws)}; }
    Distribution gap;
    Draws gap_draws{0, 0, 0};
};

/// Decides. Header before model name before credential before schedule before rates. Errors: invalid_request for a
/// fault nobody knows.
core::Result<Plan> make_plan(const Behaviour& behaviour, std::uint64_t seed, const RequestFacts& facts);

/// Whether rates and statuses can be. The error says what cannot.
core::Result<void> validate(const FaultRates& faults);

// Rows of faults as a person writes them: "5%", "10s-20s", and the fault's name. Errors say which part is wrong.
core::Result<FaultRates::Share> read_share(std::string_view fault, std::string_view percent);
core::Result<ScheduledFault> read_schedule(std::string_view range, std::string_view fault);
/// The shares that are not zero, all in one form.
std::vector<FaultRates::Share> all_shares(const FaultRates& rates);

}  // namespace oai::mock
