#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace oai::crypto {

/// A 256-bit key of ours.
using Key = std::array<std::uint8_t, 32>;

/// The key's bytes as the view that KeyedHash takes.
std::string_view as_bytes(const Key& key) noexcept;

/// 64 hex digits. `where` (a file, a variable) begins the message; the text itself is never in it. Errors:
/// invalid_argument.
core::Result<Key> parse_key_hex(std::string_view hex, std::string_view where);

/// The key in the file, or a new random one when there is no file: 64 hex digits and a line end, mode 0600, in a
/// directory made 0700 if it was missing. Processes that start at once agree on one key, and a crash leaves a whole
/// file or none. Refused: content that is not 64 hex digits, a file others may touch (the message says chmod). A bad
/// file is never replaced: what was hashed or sealed with the old key would be lost for good. Errors: invalid_argument,
/// io_failed.
core::Result<Key> load_or_create_key_file(const std::string& path);

}  // namespace oai::crypto
