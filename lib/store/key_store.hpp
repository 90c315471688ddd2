#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "crypto/hash.hpp"

namespace oai::store {

enum class KeyStatus : std::uint8_t {
    active,
    disabled,  ///< refused for now; may become active again
    revoked,   ///< refused for good
};

/// "active", "disabled", "revoked".
std::string_view to_string(KeyStatus status) noexcept;
std::optional<KeyStatus> parse_key_status(std::string_view text) noexcept;

/// What a client shows us, as we keep it: never the key itself.
struct ClientKey {
    std::string id;         ///< never used again, also not after revocation: limits and usage hang on it
    std::string name;       ///< what people call it; unique
    crypto::Digest hash{};  ///< KeyedHash of the key as the client sends it; unique
    KeyStatus status = KeyStatus::active;
    core::WallTime created_at{};                 ///< kept to the microsecond
    std::optional<core::WallTime> expires_at{};  ///< kept to the microsecond; empty: never
    std::string group{};                         ///< empty: none
    std::vector<std::string> models{};           ///< the allow-list; empty: every model

    friend bool operator==(const ClientKey&, const ClientKey&) = default;
};

/// The client keys. Calls block: run them on a store thread, never on a worker; the request path looks keys up in a
/// snapshot made from `list`. Any thread may call, and calls take turns. Errors: io_failed when the backend failed,
/// else as stated.
class KeyStore {
public:
    virtual ~KeyStore() = default;

    /// invalid_argument when id, name or hash is taken or id or name is empty.
    virtual core::Result<void> add(const ClientKey& key) = 0;
    /// All of them, by time of creation, then id.
    virtual core::Result<std::vector<ClientKey>> list() = 0;
    /// Empty when there is none of that name (compared byte by byte).
    virtual core::Result<std::optional<ClientKey>> find_by_name(std::string_view name) = 0;
    /// not_found for an unknown id; invalid_argument for a revoked key, which stays revoked (revoking it again is
    /// fine).
    virtual core::Result<void> set_status(std::string_view id, KeyStatus status) = 0;
};

}  // namespace oai::store
