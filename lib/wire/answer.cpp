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

std::optional<Usage> read_usage(Terminal terminal, const Member& usage, json::Scanner& scanner) {
    if (usage.kind != Kind::object) return std::nullopt;
    const bool chat = terminal == Terminal::chat;
    const std::array<std::string_view, 2> names{chat ? "prompt_tokens" : "input_tokens",
                                                chat ? "completion_tokens" : "output_tokens"};
    std::array<Member, names.size()> found;
    // A part of a padded text is padded by what follows it.
    if (!scanner.members(json::Padded{usage.raw}, names, found) || found[0].kind != Kind::number) return std::nullopt;
    return Usage{.input_tokens = tokens(found[0]), .output_tokens = tokens(found[1])};
}

}  // namespace

Answer read_answer(Terminal terminal, json::Padded body, json::Scanner& scanner) {
    Answer answer;
    static constexpr std::array<std::string_view, 5> names{"status", "incomplete_details", "error", "usage", "choices"};
    std::array<Member, names.size()> found;
    if (!scanner.members(body, names, found)) return answer;
    const auto& [status, details, error, usage, choices] = found;
    answer.is_json = true;
    answer.ending = Ending::completed;
    if (error.kind == Kind::object) answer.ending = Ending::failed;
    if (terminal == Terminal::responses) {
        const std::string_view word = status.plain_string();
        if (word == "failed") answer.ending = Ending::failed;
        if (word == "incomplete" || word == "cancelled")
            answer.ending = details.raw.find("\"max_output_tokens\"") != std::string_view::npos ? Ending::token_limit
                                                                                                : Ending::incomplete;
    }
    if (terminal == Terminal::chat && text_member(choices.raw, "\"finish_reason\"") == "length")
        answer.ending = Ending::token_limit;
    answer.usage = read_usage(terminal, usage, scanner);
    return answer;
}

Ended outcome_of(int http_status, Ending ending) noexcept {
    if (http_status == 429) return {Outcome::http_429};
    if (http_status >= 500) return {Outcome::http_5xx};
    if (http_status >= 400) return {Outcome::http_4xx};
    switch (ending) {
        case Ending::completed: return {Outcome::ok};
        case Ending::token_limit: return {Outcome::incomplete, true};
        case Ending::incomplete: return {Outcome::incomplete};
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
