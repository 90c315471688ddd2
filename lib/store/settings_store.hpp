#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace oai::store {

struct Setting {
    std::string value;         ///< any bytes; JSON by custom
    std::int64_t version = 0;  ///< 1 when first put, one more with every put of that name

    friend bool operator==(const Setting&, const Setting&) = default;
};

/// Named values that an administrator changes at run time: thresholds, weights, switches. Calls block, as in KeyStore.
class SettingsStore {
public:
    virtual ~SettingsStore() = default;

    /// Empty when there is none.
    virtual core::Result<std::optional<Setting>> get(std::string_view name) = 0;
    /// Puts it whatever is there; returns the new version.
    virtual core::Result<std::int64_t> put(std::string_view name, std::string_view value) = 0;
    /// Puts it only over version `expected` (0: only when there is none); this is what `If-Match` needs. Returns the
    /// new version, or empty when the version is another one, and then nothing has changed.
    virtual core::Result<std::optional<std::int64_t>> put_if(std::string_view name, std::string_view value,
                                                             std::int64_t expected) = 0;
};

}  // namespace oai::store
