#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace oai::mock {

/// How a failure is told: `message` for people, `code` for programs.
struct Failure {
    std::string_view code;
    std::string_view message;
};
inline constexpr Failure kServerFailure{"server_error",
                                        "The server had an error while processing your request. Sorry about that!"};
inline constexpr Failure kAtCapacity{"server_is_overloaded",
                                     "Selected model is at capacity. Please try a different model."};

/// What an answer says, in no format yet. `*_json` are JSON texts that are put in as they are.
struct Answer {
    std::string_view id;  ///< 48 hex digits, after "resp_", "msg_" and the like
    std::int64_t created_at = 0;
    std::string model_json;
    std::string previous_response_json;
    std::string max_output_tokens_json;
    std::string_view store_json = "true";
    std::string tool_json;      ///< the function to call, as a JSON string; empty: the answer is text
    std::string_view resource;  ///< what a '*' of the route's path stands for
    const std::vector<std::string>* models = nullptr;
    std::uint64_t input_tokens = 0;
    unsigned output_tokens = 0;    ///< that are, or would be, sent, of each choice
    unsigned choices = 1;          ///< of chat and legacy completions
    bool incomplete = false;       ///< the caller's limit cut it short
    bool cancelled = false;        ///< a response, stored or as its stream ends
    bool include_usage = false;    ///< chat streams: stream_options.include_usage
    bool reasoning = false;        ///< Responses: a summary of reasoning comes first
    bool warm_up = false;          ///< Responses over WebSocket, `"generate": false`: no output at all
    bool done = true;              ///< chat streams end with [DONE]
    bool done_event = false;       ///< Responses streams end with response.done
    bool base64 = false;           ///< embeddings
    unsigned dimensions = 0;       ///< of an embedding
    std::string_view input_json;   ///< good while the request's body is: for whole answers only
    std::string_view text_format;  ///< of a transcription: "json", "text", "verbose_json" ...
    std::size_t huge_bytes = 0;    ///< length of the first output; 0: as usual
    Failure failure = kServerFailure;
    unsigned sequence = 0;  ///< of the next event of a Responses stream

    /// For the next request; keeps the memory.
    void clear();
    bool calls_tool() const noexcept { return !tool_json.empty(); }
    unsigned all_output_tokens() const noexcept { return output_tokens * choices; }
};

/// The shape of the answers of one endpoint. All functions append to `out`; those of streams return how many events.
/// Stateless: what changes is in the Answer.
class Format {
public:
    virtual ~Format() = default;

    virtual void body(std::string& out, const Answer& answer) const = 0;
    /// A 200 that holds an error.
    virtual void failed_body(std::string& out, const Answer& answer) const;

    /// What `body` is.
    virtual std::string_view type(const Answer&) const noexcept { return "application/json"; }

    /// Whether `"stream": true` is honoured; the functions below are not called otherwise.
    virtual bool streams() const noexcept { return false; }
    /// Whether the answer is a stream without being asked to.
    virtual bool always_streams() const noexcept { return false; }
    virtual std::string_view stream_type() const noexcept { return "text/event-stream; charset=utf-8"; }
    /// What comes before the first output.
    virtual unsigned open(std::string& out, Answer& answer) const;
    /// Output event `index`, from 0, of every choice.
    virtual unsigned output(std::string& out, Answer& answer, unsigned index) const;
    virtual unsigned close(std::string& out, Answer& answer) const;
    /// Instead of the rest, after `sent` output events: the family's own way to fail.
    virtual unsigned fail(std::string& out, Answer& answer, unsigned sent) const;
    /// Instead of the rest, or of everything: an `error` event.
    virtual unsigned error_event(std::string& out, Answer& answer) const;
};

const Format& responses_format() noexcept;
const Format& compact_format() noexcept;
const Format& input_tokens_format() noexcept;
const Format& chat_format() noexcept;
const Format& completions_format() noexcept;
const Format& messages_format() noexcept;
const Format& count_tokens_format() noexcept;
const Format& embeddings_format() noexcept;
const Format& moderations_format() noexcept;
const Format& images_format() noexcept;
const Format& speech_format() noexcept;
const Format& transcription_format() noexcept;
const Format& model_list_format() noexcept;
const Format& model_format() noexcept;

/// The output: token `index`, and all of them, as they stand between the quotes of a JSON string. One in a while needs
/// escapes or is not ASCII, as in real life.
void append_token(std::string& out, const Answer& answer, unsigned index);
void append_text(std::string& out, const Answer& answer);
/// The arguments of a tool call, a JSON object in as many pieces as there are output tokens: piece `index`, and all of
/// them, as they stand between the quotes of a JSON string; and the object itself.
void append_argument(std::string& out, const Answer& answer, unsigned index);
void append_arguments(std::string& out, const Answer& answer);
void append_arguments_object(std::string& out, const Answer& answer);

/// Whose words an endpoint speaks.
enum class Shape : std::uint8_t { openai, anthropic };

/// The error body of a status. OpenAI: an empty `param` or code is null.
void append_error_body(std::string& out, Shape shape, int status, const Failure& failure, std::string_view param);
/// The error body of an injected error with that status.
void append_status_error(std::string& out, Shape shape, int status);

inline void append_one(std::string& out, std::string_view text) {
    out.append(text);
}
template <std::integral I>
void append_one(std::string& out, I number) {
    char digits[24];
    const auto done = std::to_chars(digits, digits + sizeof digits, number);
    out.append(digits, done.ptr);
}
/// Text and whole numbers, one after the other: a whole answer costs a few copies and, in a reused string, no
/// allocation.
template <class... Parts>
void append(std::string& out, const Parts&... parts) {
    (append_one(out, parts), ...);
}

}  // namespace oai::mock
