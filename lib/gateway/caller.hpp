#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/hash.hpp"
#include "gateway/tables.hpp"

namespace oai::gateway {

/// Who spoke on a connection last. Most connections belong to one client, and then its key is not hashed and looked up
/// again for each request.
class Caller {
public:
    /// The key that `find` gave for the same credential under the same tables; null: it has to be asked.
    const ClientKey* recall(const Tables& tables, std::string_view presented) const noexcept {
        // In constant time: behind a proxy that shares its connections the last credential is somebody else's.
        const bool same = generation_ == tables.generation && crypto::constant_time_equal(presented_, presented);
        return same ? key_ : nullptr;
    }
    void remember(const Tables& tables, std::string_view presented, const ClientKey& key) {
        generation_ = tables.generation;
        presented_ = presented;
        key_ = &key;
    }

private:
    std::uint64_t generation_ = 0;  ///< of the tables that own `key_`: tables that are gone are never asked for
    std::string presented_;
    const ClientKey* key_ = nullptr;
};

}  // namespace oai::gateway
