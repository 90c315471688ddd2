#pragma once

#include <optional>
#include <string_view>

#include "json/scanner.hpp"
#include "metrics/sample.hpp"
#include "wire/stream_reader.hpp"

namespace oai::wire {

/// What a JSON answer (or the `response` inside a stream's last event) says about itself.
struct Answer {
    bool is_json = false;
    Ending ending = Ending::none;
    Refusal refusal = Refusal::none;  ///< of an error inside it
    std::optional<Usage> usage;
    std::string_view id;  ///< of the resource it is; a view into the body
    json::Member model;   ///< that it says it is from
};

/// Reads a whole JSON answer of an endpoint. Text that is no JSON object has `is_json` false.
Answer read_answer(Terminal terminal, json::Padded body, json::Scanner& scanner);
/// The same of an object that the scanner found in the text it read last, such as the `response` of an event.
Answer read_answer(Terminal terminal, const json::Member& response, json::Scanner& scanner);

/// What became of a request, in the words of the metrics. One function for the gateway and for the load generator.
struct Ended {
    metrics::Outcome outcome = metrics::Outcome::ok;
    bool token_limited = false;
};

/// The outcome of an HTTP answer with that status and ending, once all of it was read.
Ended outcome_of(int http_status, Ending ending) noexcept;
/// The outcome of an exchange that failed with `error` before or in its answer.
metrics::Outcome outcome_of(const core::Error& error) noexcept;

}  // namespace oai::wire
