#pragma once

#include <cstdint>
#include <optional>

#include "core/result.hpp"
#include "http/head.hpp"

namespace oai::gateway {

/// How many servers may still pass an OPTIONS on (RFC 9110 7.6.2): 0 = it is ours to answer. Empty when it says nothing
/// of it, and for every other method. More than a billion counts as a billion: the most that we say.
/// Error: invalid_request for anything but one number.
core::Result<std::optional<std::uint32_t>> max_forwards(const http::RequestHead& request);

}  // namespace oai::gateway
