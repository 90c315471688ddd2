#pragma once

#include <string>
#include <string_view>

#include "json/scanner.hpp"

namespace oai::wire {

/// A model's name as JSON text, quotes included.
std::string quoted_model(std::string_view name);

/// Where an answer names the model, when it names `upstream`: the value of "model" or of "response.model". Absent
/// otherwise.
json::Member find_model(json::Padded answer, std::string_view upstream, json::Scanner& scanner);

/// Whether the bytes can hold that name at all: the cheap look before any JSON is read.
bool may_name_model(std::string_view bytes, std::string_view quoted_upstream) noexcept;

/// Whole server-sent events with the upstream's model name put back to the client's, where an event names it.
/// Everything else comes out as it went in.
std::string map_model_back(std::string_view events, std::string_view upstream, std::string_view quoted_client,
                           json::Scanner& scanner);

}  // namespace oai::wire
