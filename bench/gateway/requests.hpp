#pragma once

#include <string>
#include <string_view>

namespace oai::bench {

/// A whole POST /v1/responses by name: "small" (a body of 469 bytes), "stream" (the same, asking for a stream) or
/// "body" (211,414 bytes, as a coding agent sends them late in a conversation). The same bytes every time. Ends the
/// program for any other name.
std::string request_text(std::string_view name, std::string_view key);

}  // namespace oai::bench
