#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace oai::store {

/// Sealed texts by name: credentials that change while the program runs. What is given must be sealed already
/// (crypto::Sealer, with the name as its context); nothing here knows a key. Calls block, as in KeyStore. Errors:
/// io_failed.
class SecretStore {
public:
    virtual ~SecretStore() = default;

    /// Empty when there is none.
    virtual core::Result<std::optional<std::string>> get(std::string_view name) = 0;
    /// Puts it whatever is there.
    virtual core::Result<void> put(std::string_view name, std::string_view sealed) = 0;
    /// Puts it only over the text `expected` (empty: only when there is none). False when something else is there, and
    /// then nothing has changed. Sealed texts never repeat, so the text is its own version.
    virtual core::Result<bool> replace(std::string_view name, std::string_view expected, std::string_view sealed) = 0;
    /// Fine when there is none.
    virtual core::Result<void> remove(std::string_view name) = 0;
    /// All names, in the order of their bytes.
    virtual core::Result<std::vector<std::string>> names() = 0;
};

}  // namespace oai::store
