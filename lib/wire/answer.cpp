#include "wire/answer.hpp"

#include <array>
#include <string>

namespace oai::wire {

using json::Kind;
using json::Member;
using metrics::Outcome;

namespace {

std::uint32_t tokens(const Member& member) noexcept {
    const std::int64_t value = member.integer().value_or(0);
    return value < 0 ? 0 : static_cast<std::uint32_t>(std::min<std::int64_t>(value, UINT32_MAX));
}

/// Either vocabulary: input/output tokens, or prompt/completion tokens.
std::optional<Usage> read_usage(const Member& usage, json::Scanner& scanner) {
    if (usage.kind != Kind::object) return std::nullopt;
    static constexpr std::array<std::string_view, 4> names{"input_tokens", "output_tokens", "prompt_tokens",
                                                           "completion_tokens"};
    std::array<Member, names.size()> found;
    if (!scanner.members(usage, names, found)) return std::nullopt;
    const Member& input = found[0].present() ? found[0] : found[2];
    const Member& output = found[1].present() ? found[1] : found[3];
    if (input.kind != Kind::number) return std::nullopt;
    return Usage{.input_tokens = tokens(input), .output_tokens = tokens(output)};
}

/// Why the first choice of a chat's answer ended.
std::string_view finish_reason(const Member& choices, json::Scanner& scanner) {
    static constexpr std::array<std::string_view, 1> names{"finish_reason"};
    std::array<Member, 1> found;
    const Member choice = scanner.first_element(choices);
    if (choice.kind != Kind::object || !scanner.members(choice, names, found)) return {};
    return found[0].plain_string();
}

constexpr std::array<std::string_view, 9> kNames{"status", "incomplete_details", "error", "usage", "choices",
                                                 "id",     "stop_reason",        "type",  "model"};

Answer answer_of(Terminal terminal, std::string_view body, const std::array<Member, kNames.size()>& found,
                 json::Scanner& scanner) {
    Answer answer;
    const auto& [status, details, error, usage, choices, id, stop_reason, type, model] = found;
    answer.is_json = true;
    answer.ending = Ending::completed;
    if (error.kind == Kind::object || type.plain_string() == "error") {
        answer.ending = Ending::failed;
        answer.refusal = refusal_in(error.present() ? error.raw : body);
    }
    if (terminal == Terminal::responses) {
        const std::string_view word = status.plain_string();
        if (word == "failed" && answer.ending != Ending::failed) {
            answer.ending = Ending::failed;
            answer.refusal = Refusal::server;
        }
        if (word == "cancelled") answer.ending = Ending::cancelled;
        if (word == "incomplete")
            answer.ending = details.raw.find("\"max_output_tokens\"") != std::string_view::npos ? Ending::token_limit
                                                                                                : Ending::incomplete;
    }
    if (terminal == Terminal::chat && finish_reason(choices, scanner) == "length") answer.ending = Ending::token_limit;
    if (terminal == Terminal::messages && stop_reason.plain_string() == "max_tokens")
        answer.ending = Ending::token_limit;
    answer.usage = read_usage(usage, scanner);
    answer.id = id.plain_string();
    answer.model = model;
    return answer;
}

}  // namespace

Answer read_answer(Terminal terminal, json::Padded body, json::Scanner& scanner) {
    std::array<Member, kNames.size()> found;
    if (!scanner.members(body, kNames, found)) return {};
    return answer_of(terminal, body.text, found, scanner);
}

Answer read_answer(Terminal terminal, const Member& response, json::Scanner& scanner) {
    std::array<Member, kNames.size()> found;
    if (!scanner.members(response, kNames, found)) return {};
    return answer_of(terminal, response.raw, found, scanner);
}

Ended outcome_of(int http_status, Ending ending) noexcept {
    if (http_status == 429) return {Outcome::http_429};
    if (http_status >= 500) return {Outcome::http_5xx};
    if (http_status >= 400) return {Outcome::http_4xx};
    switch (ending) {
        case Ending::completed: return {Outcome::ok};
        case Ending::token_limit: return {Outcome::incomplete, true};
        case Ending::incomplete: return {Outcome::incomplete};
        case Ending::cancelled: return {Outcome::cancelled};
        case Ending::failed: return {Outcome::stream_error};
        case Ending::none: break;
    }
    return {Outcome::truncated};
}

Outcome outcome_of(const core::Error& error) noexcept {
    switch (error.code) {
        case core::Code::connect_failed: return Outcome::connect_error;
        case core::Code::tls_failed: return Outcome::tls_error;
        case core::Code::upstream_timeout:
        case core::Code::request_timeout:
        case core::Code::timed_out: return Outcome::timeout;
        case core::Code::upstream_truncated: return Outcome::truncated;
        case core::Code::upstream_malformed: return Outcome::malformed;
        case core::Code::cancelled: return Outcome::cancelled;
        case core::Code::upstream_error:
        case core::Code::unavailable:
        case core::Code::internal:
        case core::Code::io_failed: return Outcome::http_5xx;
        case core::Code::rate_limited:
        case core::Code::upstream_throttled: return Outcome::http_429;
        default: return Outcome::http_4xx;
    }
}

}  // namespace oai::wire
