#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/clock.hpp"
#include "crypto/hash.hpp"
#include "crypto/keyed_hash.hpp"

namespace oai::gateway {

/// A client's key as a request sees it.
struct ClientKey {
    std::string id;
    std::string name;
    std::string group;
    bool active = true;
    std::optional<core::WallTime> expires_at;
};

/// All client keys, by their keyed hash: immutable, replaced as a whole. Nobody who lacks the hash key can tell from
/// the time of a look-up how close a guess came.
class ClientKeys {
public:
    explicit ClientKeys(const crypto::KeyedHash& hash) : hash_(hash) {}

    void add(const crypto::Digest& digest, ClientKey key) { keys_.insert_or_assign(digest, std::move(key)); }
    std::size_t size() const noexcept { return keys_.size(); }

    /// Null for a key that is not ours.
    const ClientKey* find(std::string_view presented) const noexcept;

private:
    struct Prefix {
        // A digest is uniform: any eight of its bytes are as good a hash as can be.
        std::size_t operator()(const crypto::Digest& digest) const noexcept;
    };
    crypto::KeyedHash hash_;
    std::unordered_map<crypto::Digest, ClientKey, Prefix> keys_;
};

}  // namespace oai::gateway
