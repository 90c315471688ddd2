#include "mock/format.hpp"

#include <array>

#include "json/writer.hpp"

namespace oai::mock {
namespace {

constexpr std::array<std::string_view, 24> kTokens{"A ",     "gateway ",      "sits ",    "between ",
                                                   "the ",   "caller ",       "and ",     "the ",
                                                   "model ", "it ",           "keeps ",   "every ",
                                                   "byte ",  "na\xC3\xAFve ", "or ",      "\\\"quoted\\\" ",
                                                   "as ",    "it ",           "came\\n",  "\xE4\xB8\xAD\xE6\x96\x87 ",
                                                   "so ",    "that ",         "nothing ", "moves. "};

const std::string& cycle() {
    static const std::string text = [] {
        std::string all;
        for (const std::string_view token : kTokens) all += token;
        return all;
    }();
    return text;
}

struct StatusError {
    int status;
    std::string_view message, type, code;
};

constexpr std::array<StatusError, 10> kStatusErrors{
    {{400, "Invalid request.", "invalid_request_error", ""},
     {401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key"},
     {402, "Billing hard limit has been reached.", "billing_error", "billing_hard_limit_reached"},
     {403, "You are not allowed to use this resource.", "invalid_request_error", "forbidden"},
     {404, "The requested resource does not exist.", "invalid_request_error", "model_not_found"},
     {408, "The request timed out.", "timeout", "request_timeout"},
     {429, "Rate limit reached for requests. Please try again later.", "requests", "rate_limit_exceeded"},
     {503, "The server is currently overloaded with other requests. Sorry about that!", "server_error", "overloaded"},
     {504, "The server timed out.", "server_error", "timeout"},
     {529, "Overloaded", "overloaded_error", "overloaded"}}};

}  // namespace

std::string_view token_json(unsigned index) noexcept {
    return kTokens[index % kTokens.size()];
}

void append_tokens_json(std::string& out, unsigned count) {
    for (; count >= kTokens.size(); count -= static_cast<unsigned>(kTokens.size())) out += cycle();
    for (unsigned i = 0; i < count; ++i) out += kTokens[i];
}

void append_error_body(std::string& out, std::string_view message, std::string_view type, std::string_view param,
                       std::string_view code) {
    const auto text_or_null = [&](std::string_view text) {
        if (text.empty()) {
            out += "null";
        } else {
            json::append_quoted(out, text);
        }
    };
    out += "{\"error\":{\"message\":";
    json::append_quoted(out, message);
    out += ",\"type\":";
    json::append_quoted(out, type);
    out += ",\"param\":";
    text_or_null(param);
    out += ",\"code\":";
    text_or_null(code);
    out += "}}";
}

void append_status_error(std::string& out, int status) {
    for (const StatusError& row : kStatusErrors) {
        if (row.status == status) return append_error_body(out, row.message, row.type, {}, row.code);
    }
    if (status < 500) return append_error_body(out, "The request was refused.", "invalid_request_error", {}, {});
    append_error_body(out, kServerErrorMessage, "server_error", {}, {});
}

void Format::failed_body(std::string& out, const Answer&) const {
    append_error_body(out, kServerErrorMessage, "server_error", {}, {});
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
unsigned Format::fail(std::string&, Answer&, unsigned) const {
    return 0;
}

}  // namespace oai::mock
