#include "mock/format.hpp"

#include <array>
#include <utility>

#include "json/writer.hpp"

namespace oai::mock {
namespace {

constexpr std::array<std::string_view, 24> kTokens{"A ",     "gateway ",      "sits ",    "between ",
                                                   "the ",   "caller ",       "and ",     "the ",
                                                   "model ", "it ",           "keeps ",   "every ",
                                                   "byte ",  "na\xC3\xAFve ", "or ",      "\\\"quoted\\\" ",
                                                   "as ",    "it ",           "came\\n",  "\xE4\xB8\xAD\xE6\x96\x87 ",
                                                   "so ",    "that ",         "nothing ", "moves. "};

/// Of a tool's arguments: what stands in a string that stands in a string needs no third kind of escapes.
constexpr std::array<std::string_view, 4> kWords{"north ", "by ", "north ", "west "};

const std::string& cycle() {
    static const std::string text = [] {
        std::string all;
        for (const std::string_view token : kTokens) all += token;
        return all;
    }();
    return text;
}

/// What an error of a status says, and its type in each shape.
struct StatusError {
    int status;
    Failure failure;
    std::string_view type;
    std::string_view anthropic_type;
};

constexpr std::array<StatusError, 13> kStatusErrors{
    {{400, {"", "Invalid request."}, "invalid_request_error", "invalid_request_error"},
     {401, {"invalid_api_key", "Incorrect API key provided."}, "invalid_request_error", "authentication_error"},
     {402, {"billing_hard_limit_reached", "Billing hard limit has been reached."}, "billing_error", "billing_error"},
     {403, {"forbidden", "You are not allowed to use this resource."}, "invalid_request_error", "permission_error"},
     {404, {"model_not_found", "The requested resource does not exist."}, "invalid_request_error", "not_found_error"},
     {408, {"request_timeout", "The request timed out."}, "timeout", "timeout_error"},
     {413, {"", "The request is too large."}, "invalid_request_error", "request_too_large"},
     {429,
      {"rate_limit_exceeded", "Rate limit reached for requests. Please try again later."},
      "requests",
      "rate_limit_error"},
     {503,
      {"overloaded", "The server is currently overloaded with other requests. Sorry about that!"},
      "server_error",
      "overloaded_error"},
     {504, {"timeout", "The server timed out."}, "server_error", "timeout_error"},
     {529, {"overloaded", "Overloaded"}, "overloaded_error", "overloaded_error"},
     // Any other of the caller's, and of the server's.
     {499, {"", "The request was refused."}, "invalid_request_error", "invalid_request_error"},
     {599, {"", kServerFailure.message}, "server_error", "api_error"}}};

const StatusError& error_of(int status) {
    for (const StatusError& row : kStatusErrors) {
        if (row.status == status) return row;
    }
    return kStatusErrors[status < 500 ? kStatusErrors.size() - 2 : kStatusErrors.size() - 1];
}

}  // namespace

void Answer::clear() {
    Answer blank;
    for (std::string Answer::*text :
         {&Answer::model_json, &Answer::previous_response_json, &Answer::max_output_tokens_json, &Answer::tool_json}) {
        (this->*text).clear();
        (blank.*text).swap(this->*text);
    }
    *this = std::move(blank);
}

void append_token(std::string& out, const Answer& answer, unsigned index) {
    out += kTokens[index % kTokens.size()];
    if (index == 0 && answer.huge_bytes > kTokens[0].size()) out.append(answer.huge_bytes - kTokens[0].size(), 'x');
}

void append_text(std::string& out, const Answer& answer) {
    constexpr auto kRound = static_cast<unsigned>(kTokens.size());
    for (unsigned index = 0; index < answer.output_tokens;) {
        const bool plain = index != 0 || answer.huge_bytes == 0;
        if (plain && index % kRound == 0 && index + kRound <= answer.output_tokens) {
            out += cycle();
            index += kRound;
        } else {
            append_token(out, answer, index++);
        }
    }
}

namespace {

void append_word(std::string& out, const Answer& answer, unsigned index) {
    out += kWords[index % kWords.size()];
    if (index == 0) out.append(answer.huge_bytes, 'x');
}

}  // namespace

void append_argument(std::string& out, const Answer& answer, unsigned index) {
    if (index == 0) out += R"({\"text\":\")";
    append_word(out, answer, index);
    if (index + 1 == answer.output_tokens) out += R"(\"})";
}

void append_arguments(std::string& out, const Answer& answer) {
    for (unsigned i = 0; i < answer.output_tokens; ++i) append_argument(out, answer, i);
}

void append_arguments_object(std::string& out, const Answer& answer) {
    out += R"({"text":")";
    for (unsigned i = 0; i < answer.output_tokens; ++i) append_word(out, answer, i);
    out += "\"}";
}

void append_error_body(std::string& out, Shape shape, int status, const Failure& failure, std::string_view param) {
    const StatusError& row = error_of(status);
    if (shape == Shape::anthropic) {
        append(out, R"({"type":"error","error":{"type":")", row.anthropic_type, R"(","message":)");
        json::append_quoted(out, failure.message);
        out += "}}";
        return;
    }
    const auto text_or_null = [&](std::string_view text) {
        if (text.empty()) {
            out += "null";
        } else {
            json::append_quoted(out, text);
        }
    };
    out += "{\"error\":{\"message\":";
    json::append_quoted(out, failure.message);
    append(out, ",\"type\":\"", row.type, "\",\"param\":");
    text_or_null(param);
    out += ",\"code\":";
    text_or_null(failure.code);
    out += "}}";
}

void append_status_error(std::string& out, Shape shape, int status) {
    append_error_body(out, shape, status, error_of(status).failure, {});
}

void Format::failed_body(std::string& out, const Answer& answer) const {
    append_error_body(out, Shape::openai, 500, answer.failure, {});
}
unsigned Format::open(std::string&, Answer&) const {
    return 0;
}
unsigned Format::output(std::string&, Answer&, unsigned) const {
    return 0;
}
unsigned Format::close(std::string&, Answer&) const {
    return 0;
}
unsigned Format::fail(std::string& out, Answer& answer, unsigned) const {
    return error_event(out, answer);
}
unsigned Format::error_event(std::string& out, Answer& answer) const {
    out += "data: ";
    append_error_body(out, Shape::openai, 500, answer.failure, {});
    out += "\n\n";
    return 1;
}

}  // namespace oai::mock
