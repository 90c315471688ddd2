#pragma once

#include <string_view>

#include "core/result.hpp"
#include "crypto/seal.hpp"
#include "store/settings_store.hpp"

namespace oai::store {

/// Whether this store was made with the sealer's keys: a known text is sealed into the settings at the first start and
/// opened at every later one, so that a wrong key is named at once and not by the first request that needs a
/// credential. Where an older key sealed it, it is sealed again with the current one. `where` is the place the current
/// key was read from ("data/encryption.key", "OAIGW_ENCRYPTION_KEY") and begins the message. Blocks. Errors:
/// invalid_argument for a wrong key (with both ids), io_failed.
core::Result<void> check_encryption_key(SettingsStore& settings, const crypto::Sealer& sealer, std::string_view where);

}  // namespace oai::store
