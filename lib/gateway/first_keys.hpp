#pragma once

#include <memory>
#include <string>

#include "core/result.hpp"
#include "crypto/keyed_hash.hpp"
#include "crypto/seal.hpp"
#include "gateway/client_keys.hpp"
#include "gateway/config.hpp"
#include "store/store.hpp"

namespace oai::gateway {

/// Who may come in: client keys by hash, and the admin key's hash.
struct Credentials {
    std::shared_ptr<const ClientKeys> keys;
    crypto::Digest admin{};
};

/// Keys that were made now; empty when there were some. The only moment they are known in clear.
struct FirstKeys {
    std::string admin;
    std::string client;
    bool any() const noexcept { return !admin.empty() || !client.empty(); }
};

/// Hashes the configured keys, loads those of the store and makes the missing ones: an admin key when none is
/// configured or stored, a client key when there is none at all. What is made is stored hashed. Blocks.
core::Result<Credentials> load_credentials(const Config& config, const crypto::KeyedHash& hash, store::Store& store,
                                           FirstKeys& made);

/// Shows the new keys once: on stderr when it is a terminal, else in `data_dir`/first-keys (0600), whose path is
/// logged.
core::Result<void> announce(const FirstKeys& made, const std::string& data_dir, bool terminal);

/// What is made of the one key of ours.
struct Keys {
    crypto::KeyedHash hash;                        ///< of client keys
    std::shared_ptr<const crypto::Sealer> sealer;  ///< of upstream credentials in the store
    std::string where;                             ///< it came from, for messages
};

/// From OAIGW_ENCRYPTION_KEY, or the file in `data_dir`, made at the first start.
core::Result<Keys> load_keys(const Config& config);

}  // namespace oai::gateway
