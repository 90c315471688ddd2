#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "http/sse.hpp"
#include "json/scanner.hpp"
#include "wire/endpoints.hpp"
#include "wire/failure.hpp"

namespace oai::wire {

/// Tokens as the provider counted them, or as we had to guess.
struct Usage {
    std::uint32_t input_tokens = 0;
    std::uint32_t output_tokens = 0;
    bool estimated = false;
    friend bool operator==(const Usage&, const Usage&) = default;
};

/// How an answer ended by its own account.
enum class Ending : std::uint8_t {
    none,  ///< no terminal event yet: a close now is a truncation
    completed,
    token_limit,  ///< cut by the caller's own limit of output tokens: a success
    incomplete,   ///< cut for another reason
    cancelled,    ///< its caller asked for that
    failed,       ///< it says so itself
};

/// What an event means for the times and the end of its stream.
enum class EventKind : std::uint8_t {
    comment,   ///< keep-alive: counts as nothing
    preamble,  ///< created, in_progress, a role: an event, and no output
    usage,     ///< nothing but the usage: chat's last chunk before [DONE], when it was asked for
    output,    ///< holds output of the model
    terminal,  ///< the stream's terminal event
    done,      ///< chat's [DONE]
};

/// Reads a stream of an endpoint: when its first event and its first output came, how it ended, what it used. The
/// gateway and the load generator both read with this class, so TTFT means one thing at both ends.
///
/// Output is text, a refusal, reasoning, a tool call's name or arguments, or audio, and not empty. Events are looked at
/// by their bytes first; JSON is read only in those that can hold what is looked for (a usage, an end).
class StreamReader {
public:
    explicit StreamReader(Terminal terminal) : terminal_(terminal) {}

    /// Bytes of one read, stamped once. `on_gap(from, to)` is called for each output event but the first.
    /// An error means the bytes are no event stream (an event over the bound); nothing more can be read.
    template <class OnGap>
    core::Result<void> feed(std::string_view bytes, core::TimePoint at, json::Scanner& scanner, OnGap on_gap) {
        whole_ = 0;
        core::Result<void> read = sse_.feed(bytes, [&](const http::SseEvent& event) {
            const std::optional<core::TimePoint> before = last_output_;
            if (take(event, at, scanner) == EventKind::output && before) on_gap(*before, at);
            whole_ = event.end_offset;
        });
        if (sse_.between_events()) whole_ = bytes.size();
        return read;
    }

    /// How many of the last feed's bytes end with a whole event: what comes behind belongs to one that is cut.
    std::size_t whole_bytes() const noexcept { return whole_; }

    std::optional<core::TimePoint> first_event() const noexcept { return first_event_; }
    std::optional<core::TimePoint> first_output() const noexcept { return first_output_; }
    std::optional<core::TimePoint> last_output() const noexcept { return last_output_; }
    std::uint64_t events() const noexcept { return events_; }
    std::uint64_t output_events() const noexcept { return output_events_; }
    Ending ending() const noexcept { return ending_; }
    /// All the endpoint promises was seen: for chat, [DONE] too.
    bool complete() const noexcept { return ending_ != Ending::none && (terminal_ != Terminal::chat || done_); }
    /// What a failure in the stream says of its cause; none while there was none.
    Refusal refusal() const noexcept { return refusal_; }
    /// Bytes of text in the output events so far: what is charged when no usage comes.
    std::uint64_t output_bytes() const noexcept { return output_bytes_; }
    /// The id of the resource that the stream makes, such as "resp_1"; empty while it is not known.
    const std::string& resource_id() const noexcept { return resource_id_; }
    /// A chat stream that ended well but never said [DONE]: a warning, not a failure.
    bool lacks_done() const noexcept { return terminal_ == Terminal::chat && ending_ != Ending::none && !done_; }
    const std::optional<Usage>& usage() const noexcept { return usage_; }
    bool between_events() const noexcept { return sse_.between_events(); }

    /// One event, without its framing. For tests, and for readers with framing of their own.
    EventKind take(const http::SseEvent& event, core::TimePoint at, json::Scanner& scanner);

private:
    std::string_view type_of(const http::SseEvent& event, json::Scanner& scanner);
    EventKind take_responses(const http::SseEvent& event, json::Scanner& scanner);
    EventKind end_response(std::string_view type, std::string_view data, json::Scanner& scanner);
    EventKind take_chat(std::string_view data, json::Scanner& scanner);
    EventKind take_messages(const http::SseEvent& event, json::Scanner& scanner);
    EventKind take_other(const http::SseEvent& event, json::Scanner& scanner);
    EventKind fail(std::string_view data) noexcept;
    bool has_text(std::string_view data, std::string_view quoted_name) noexcept;

    Terminal terminal_;
    http::SseReader sse_;
    std::optional<core::TimePoint> first_event_, first_output_, last_output_;
    std::size_t whole_ = 0;
    std::uint64_t events_ = 0;
    std::uint64_t output_events_ = 0;
    Ending ending_ = Ending::none;
    bool done_ = false;
    std::optional<Usage> usage_;
    Refusal refusal_ = Refusal::none;
    std::uint64_t output_bytes_ = 0;
    std::string resource_id_;
    std::string stop_reason_;  ///< of a message, until its stop
    std::string type_;         ///< of an event that does not begin with it
};

/// The text of the first member `name` (anywhere in `data`) that is a string and not empty; escapes stay, and a string
/// that holds a quote ends there. Looks at bytes, builds nothing; a name inside a string is not found, since its quotes
/// are escaped there.
std::string_view text_member(std::string_view data, std::string_view quoted_name) noexcept;

}  // namespace oai::wire
