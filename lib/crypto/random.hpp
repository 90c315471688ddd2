#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace oai::crypto {

/// Bytes nobody can guess, from the system's generator. Throws std::runtime_error when the system has none to give,
/// which does not happen on a machine that works.
std::string random_bytes(std::size_t count);

/// A credential of 256 random bits: the prefix, then 43 characters of A-Z a-z 0-9 - _ (base64url without padding).
/// new_secret_key("sk-oai-") is 50 characters long.
std::string new_secret_key(std::string_view prefix);

}  // namespace oai::crypto
