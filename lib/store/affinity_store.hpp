#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"

namespace oai::store {

/// Where a resource of a provider (a file, a response, a thread ...) was made: later requests that name it go there.
struct Affinity {
    std::string owner;            ///< id of the client key that made it
    std::string id;               ///< as the provider named it
    std::string account;          ///< name of the account
    std::string version;          ///< label of the account's version
    core::WallTime created_at{};  ///< kept to the microsecond
    core::WallTime used_at{};     ///< kept to the microsecond

    friend bool operator==(const Affinity&, const Affinity&) = default;
};

/// Affinities, by owner and id: an owner never sees another's, whatever id it guesses. Calls block, as in KeyStore.
/// Errors: io_failed.
class AffinityStore {
public:
    virtual ~AffinityStore() = default;

    /// All of them or none, each over what is there of that owner and id. `used_at` never goes back: of two processes
    /// the later use counts, in whatever order they write.
    virtual core::Result<void> put(std::span<const Affinity> affinities) = 0;
    /// Empty when there is none.
    virtual core::Result<std::optional<Affinity>> get(std::string_view owner, std::string_view id) = 0;
    /// Fine when there is none.
    virtual core::Result<void> remove(std::string_view owner, std::string_view id) = 0;
    /// The last used ones, latest first; at most `most`.
    virtual core::Result<std::vector<Affinity>> latest(std::size_t most) = 0;
    /// Removes those last used before `limit`, the oldest first, at most `most` of them, so that no other writer waits
    /// long. Returns how many it were: fewer than `most` when none is left.
    virtual core::Result<std::size_t> purge(core::WallTime limit, std::size_t most) = 0;
};

}  // namespace oai::store
