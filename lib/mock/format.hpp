#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace oai::mock {

/// What an answer says, in no format yet. `*_json` are JSON texts that are put in as they are.
struct Answer {
    std::string_view id;  ///< 48 hex digits, after "resp_", "msg_" and the like
    std::int64_t created_at = 0;
    std::string model_json;
    std::string previous_response_json;
    std::string max_output_tokens_json;
    std::string_view store_json = "true";
    std::string_view resource;  ///< what a '*' of the route's path stands for
    const std::vector<std::string>* models = nullptr;
    std::uint64_t input_tokens = 0;
    unsigned output_tokens = 0;  ///< that are, or would be, sent
    bool incomplete = false;     ///< the caller's limit cut it short
    bool include_usage = false;  ///< chat streams: stream_options.include_usage
    unsigned sequence = 0;       ///< of the next event of a Responses stream
};

/// The shape of the answers of one endpoint. All functions append to `out`; those of streams return how many events.
/// Stateless: what changes is in the Answer.
class Format {
public:
    virtual ~Format() = default;

    virtual void body(std::string& out, const Answer& answer) const = 0;
    /// A 200 that holds an error.
    virtual void failed_body(std::string& out, const Answer& answer) const;

    /// Whether `"stream": true` is honoured; the functions below are not called otherwise.
    virtual bool streams() const noexcept { return false; }
    /// What comes before the first output.
    virtual unsigned open(std::string& out, Answer& answer) const;
    /// Output event `index`, from 0.
    virtual unsigned output(std::string& out, Answer& answer, unsigned index) const;
    virtual unsigned close(std::string& out, Answer& answer) const;
    /// Instead of the rest, after `sent` output events.
    virtual unsigned fail(std::string& out, Answer& answer, unsigned sent) const;
};

const Format& responses_format() noexcept;
const Format& chat_format() noexcept;
const Format& model_list_format() noexcept;
const Format& model_format() noexcept;

/// The output: token `index` as it stands between the quotes of a JSON string. One in a while needs escapes or is not
/// ASCII, as in real life.
std::string_view token_json(unsigned index) noexcept;
void append_tokens_json(std::string& out, unsigned count);

/// An OpenAI error body. `param` and `code` empty: null.
void append_error_body(std::string& out, std::string_view message, std::string_view type, std::string_view param,
                       std::string_view code);
/// The error body of an injected error with that status.
void append_status_error(std::string& out, int status);
inline constexpr std::string_view kServerErrorMessage =
    "The server had an error while processing your request. Sorry about that!";

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
