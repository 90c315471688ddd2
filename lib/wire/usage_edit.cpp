#include "wire/usage_edit.hpp"

#include <algorithm>
#include <array>

#include "http/sse.hpp"
#include "json/edit.hpp"

namespace oai::wire {
namespace {

constexpr std::string_view kChoices = "\"choices\"";
constexpr std::string_view kBlanks = " \t\r\n";

/// Position behind an empty array that follows `"choices":` at `at`; npos when it is none.
std::size_t after_empty_array(std::string_view data, std::size_t at) noexcept {
    at = data.find_first_not_of(kBlanks, at + kChoices.size());
    if (at == std::string_view::npos || data[at] != ':') return std::string_view::npos;
    at = data.find_first_not_of(kBlanks, at + 1);
    if (at == std::string_view::npos || data[at] != '[') return std::string_view::npos;
    at = data.find_first_not_of(kBlanks, at + 1);
    return at == std::string_view::npos || data[at] != ']' ? std::string_view::npos : at + 1;
}

bool has_empty_choices(std::string_view data) noexcept {
    for (std::size_t at = data.find(kChoices); at != std::string_view::npos; at = data.find(kChoices, at + 1)) {
        if (after_empty_array(data, at) != std::string_view::npos) return true;
    }
    return false;
}

}  // namespace

std::optional<json::Splice> ask_for_usage(std::string_view body, const json::Member& options, json::Scanner& scanner) {
    if (!options.present()) return json::Splice{json::first_place(body), R"("stream_options":{"include_usage":true},)"};
    if (options.kind != json::Kind::object) return json::Splice{options.raw, R"({"include_usage":true})"};
    static constexpr std::array<std::string_view, 1> names{"include_usage"};
    std::array<json::Member, 1> found;
    // A part of a padded text is padded by what follows it.
    if (!scanner.members(json::Padded{options.raw}, names, found)) return std::nullopt;
    if (found[0].present()) {
        if (found[0].boolean().value_or(false)) return std::nullopt;
        return json::Splice{found[0].raw, "true"};
    }
    const bool empty = options.raw.find_first_not_of(kBlanks, 1) == options.raw.size() - 1;
    return json::Splice{json::first_place(options.raw), empty ? R"("include_usage":true)" : R"("include_usage":true,)"};
}

bool may_hold_usage_chunk(std::string_view events) noexcept {
    return has_empty_choices(events);
}

bool is_usage_chunk(std::string_view data) noexcept {
    return has_empty_choices(data) && data.find("\"usage\"") != std::string_view::npos;
}

std::string drop_usage_chunk(std::string_view events) {
    std::string out;
    out.reserve(events.size());
    std::size_t copied = 0;
    http::SseReader reader;
    const core::Result<void> read = reader.feed(events, [&](const http::SseEvent& event) {
        if (event.is_comment || !event.whole || !is_usage_chunk(event.data)) return;
        out.append(events.substr(copied, event.begin_offset - copied));
        copied = event.end_offset;
    });
    if (!read) return std::string(events);
    out.append(events.substr(copied));
    return out;
}

}  // namespace oai::wire
