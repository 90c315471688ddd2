#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "loadgen/arrivals.hpp"

namespace oai::loadgen {

/// One stream of arrivals: how often, and what each of its requests asks.
struct ArrivalStream {
    std::string name;  ///< "non_stream"
    Rate rate;
    bool stream = false;  ///< asks for server-sent events
    std::string endpoint = "/v1/responses";
    std::string model = "gpt-5";
    std::string prompt = "Reply with a short greeting.";
    std::uint32_t max_output_tokens = 32;
    friend bool operator==(const ArrivalStream&, const ArrivalStream&) = default;
};

/// What a run is. Where it is sent to is not part of it: the same scenario against two gateways can be compared.
struct Scenario {
    std::string name = "baseline";
    std::vector<ArrivalStream> streams;
    nanoseconds duration = std::chrono::minutes{3};
    nanoseconds timeout = std::chrono::seconds{180};  ///< of one request, from its scheduled instant
    std::uint32_t max_in_flight = 200;                ///< of all streams together; an arrival beyond it is dropped
    std::uint64_t seed = 1;                           ///< of what is drawn; a constant rate draws nothing
    std::string user_agent = "codex_cli_rs/0.1.0";
    friend bool operator==(const Scenario&, const Scenario&) = default;
};

/// The seed's load: 8 rps non-stream and 4 rps stream for 3 minutes on /v1/responses.
Scenario baseline_scenario();

/// Whether it can be run. The error says what cannot.
core::Result<void> validate(const Scenario& scenario);

/// All of it with a fixed order and integers only: the same scenario gives the same bytes.
std::string canonical_json(const Scenario& scenario);
/// SHA-256 of the canonical form, 64 hex digits.
std::string config_hash(const Scenario& scenario);

/// The JSON body of each request of a stream. Precondition: its endpoint is one that validate() accepts.
std::string request_body(const ArrivalStream& stream);

}  // namespace oai::loadgen
