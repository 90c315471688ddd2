#pragma once

#include <string_view>

#include "core/result.hpp"
#include "store/key_store.hpp"

namespace oai::store {

// What every backend says and refuses alike.

/// invalid_argument when the key can be in no store.
core::Result<void> check_new_key(const ClientKey& key);
/// `what` is "id", "name" or "value".
core::Error key_taken(std::string_view what, const ClientKey& key);
core::Error key_unknown(std::string_view id);
core::Error key_revoked(std::string_view id);

}  // namespace oai::store
