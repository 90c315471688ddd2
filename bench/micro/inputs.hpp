#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace oai::bench {

/// As clients name the model, and as the upstream does.
inline constexpr std::string_view kClientModel = "gpt-5";
inline constexpr std::string_view kUpstreamModel = "gpt-5-codex";

/// A request to /v1/responses like those of a coding agent: instructions, tools, and an `input` of messages, calls and
/// outputs that fills it up to about `bytes`.
std::string make_body(std::size_t bytes);

/// The events of one streamed answer to it: its beginning, 200 deltas of about 175 bytes, its end with the usage. Each
/// with its blank line.
std::vector<std::string> make_events();

/// The same events as they arrive, `together` of them with each read.
std::vector<std::string> make_reads(std::size_t together);

/// What stands behind "data: " in an event.
std::string_view data_of(std::string_view event) noexcept;

}  // namespace oai::bench
