#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "json/scanner.hpp"

namespace oai::wire {

/// The edit that makes a chat stream end with its usage: `stream_options.include_usage` becomes true. None when the
/// client asks for it itself. `body` is the whole JSON object, `options` its stream_options.
std::optional<json::Splice> ask_for_usage(std::string_view body, const json::Member& options, json::Scanner& scanner);

/// Whether the bytes can hold chat's usage chunk at all: the cheap look.
bool may_hold_usage_chunk(std::string_view events) noexcept;

/// Whether an event's data is that chunk: no choices, and a usage.
bool is_usage_chunk(std::string_view data) noexcept;

/// Whole server-sent events without the usage chunk, for a client that did not ask for it. Everything else comes out as
/// it went in.
std::string drop_usage_chunk(std::string_view events);

}  // namespace oai::wire
