#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/result.hpp"

namespace oai::mock {

/// One thing that goes wrong with one answer.
struct Fault {
    enum class Kind : std::uint8_t {
        none,
        // The answer says something else.
        error,         ///< an error answer with `status` and, by `hint`, when to come back
        error_in_200,  ///< the body of an error with status 200; of a stream too
        non_json,      ///< 200 with an HTML page
        half_json,     ///< the framing is whole, the JSON is not
        capacity,      ///< 200, and the response failed: the model is at capacity
        huge_event,    ///< the first output is `bytes` long
        gzip,          ///< content-encoding gzip, whatever was asked for
        // Streams only: their events go wrong; the framing is whole.
        first_event_error,  ///< the first event is an error
        failed_event,       ///< the family's own failure instead of the rest. Whole answer: 200 with an error inside
        late_error,         ///< an `error` event instead of the rest
        no_terminal,        ///< all output, then the end
        no_done,            ///< chat: no [DONE]
        done_event,         ///< Responses: the last event is response.done, as some upstreams say it
        cancelled_event,    ///< Responses: the last event is response.cancelled. Whole answer: its status
        ping_only,          ///< nothing but comments, one each `delay`
        // The bytes go wrong, or come at the wrong time.
        hang,               ///< the request is read and never answered
        stall,              ///< the answer begins and then rests, the connection open
        cut,                ///< the connection closes in the middle of the answer
        cut_before_head,    ///< ... before its first byte
        reset,              ///< as `cut`, by a TCP reset
        reset_before_head,  ///< as `cut_before_head`, by a TCP reset
        unasked_101,        ///< the answer is a switch to another protocol, and then silence
        early_close,        ///< no length and no chunks: the close that ends the answer comes too early
        truncated_json,     ///< a whole answer, of a stream too, of which half comes before the close
        wrong_length,       ///< a whole answer, of a stream too, that is longer than its content-length
        bad_chunk,          ///< chunked, with a chunk size that is none
        slow,               ///< the answer is right and comes `delay` later
        slow_head,          ///< half of the head, and the rest `delay` later
        trickle,            ///< byte by byte, `delay` apart
        close_1011,         ///< as `cut`; a WebSocket says first that something went wrong inside
        close_1013,         ///< ... or that it should be tried again later
    };
    /// How an error says when to come back.
    enum class Hint : std::uint8_t {
        usual,    ///< retry-after in seconds with 429 and 503, otherwise nothing
        none,     ///< nothing
        seconds,  ///< retry-after: 2
        decimal,  ///< retry-after: 1.500
        date,     ///< retry-after: Thu, 12 Feb 2026 09:00:00 GMT
        ms,       ///< retry-after-ms: 1500
        reset,    ///< x-ratelimit-*, reset as 6m0s, 1s or 120ms
        codex,    ///< x-codex-primary-* and x-codex-secondary-*
        body,     ///< nothing in the head; the body says usage_limit_reached and resets_in_seconds
    };

    Kind kind = Kind::none;
    int status = 0;  ///< with `error`
    Hint hint = Hint::usual;
    /// Those that end in the middle: after that many output events (streams; whole answers: 0 = right after the head,
    /// else in the middle). Empty = drawn.
    std::optional<unsigned> after = {};
    std::chrono::nanoseconds delay{0};  ///< of an error: until when to come back; 0 = as the behaviour says
    std::size_t bytes = 0;              ///< with `huge_event`
    unsigned times = 0;                 ///< only the first so many requests of a model and session; 0 = all

    bool operator==(const Fault&) const = default;
};

/// Reads a name, as in `x-mock-fault: cut-after-3` or in the model "gpt-5-mock-cut-after-3". Anything else is an error
/// that lists the names.
core::Result<Fault> parse_fault(std::string_view name);
std::string fault_name(const Fault& fault);
/// All of them and what may follow each, for a person.
std::string known_faults();

/// Whether it has an `after`.
bool has_position(Fault::Kind kind) noexcept;
/// Whether a stream's request is answered as if it had asked for no stream.
bool answers_whole(Fault::Kind kind) noexcept;
/// Whether the answer is whole in its framing and tells of a failure in its family's words.
bool fails(Fault::Kind kind) noexcept;
/// Whether the bytes of the answer go out otherwise than all at once.
bool disturbs_sending(Fault::Kind kind) noexcept;

/// The fault that a model name asks for: what follows its last "mock-", when that stands at the start or after one of
/// "-/:." and is no other word of `says`. Empty when the name asks for none.
std::string_view fault_in_model(std::string_view model) noexcept;
/// Words of a model name that are no faults: the answer calls the request's tool; it begins with a summary of
/// reasoning.
inline constexpr std::string_view kToolWord = "tool", kReasoningWord = "reasoning";
/// Whether a model name says `word` anywhere, as in "gpt-5-mock-tool" or
/// "mock-tool-mock-cut-after-3".
bool says(std::string_view model, std::string_view word) noexcept;

/// The header lines by which an error says when to come back. `usual`: when the fault names no time.
void append_retry_hint(std::string& head, const Fault& fault, std::chrono::nanoseconds usual, core::WallTime now);

/// The body of an error whose hint is `body`.
void append_usage_limit(std::string& body, const Fault& fault, std::chrono::nanoseconds usual);

}  // namespace oai::mock
