#pragma once

#include <string_view>

#include "store/affinity_store.hpp"
#include "store/key_store.hpp"
#include "store/secret_store.hpp"
#include "store/settings_store.hpp"

namespace oai::store {

/// What is kept across requests: one interface per capability, so that a user depends on what it needs. A backend
/// provides all of them. Calls block by design: run them on a store thread, never on a worker.
class Store {
public:
    virtual ~Store() = default;

    /// For messages: "memory", or the path of the file.
    virtual std::string_view name() const noexcept = 0;

    /// These live as long as the store.
    virtual KeyStore& keys() noexcept = 0;
    virtual SettingsStore& settings() noexcept = 0;
    virtual AffinityStore& affinities() noexcept = 0;
    virtual SecretStore& secrets() noexcept = 0;
};

}  // namespace oai::store
