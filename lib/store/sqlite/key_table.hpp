#pragma once

#include "store/key_store.hpp"
#include "store/sqlite/connection.hpp"

namespace oai::store::sqlite {

/// KeyStore on table client_key.
class KeyTable final : public KeyStore {
public:
    explicit KeyTable(Connection& connection) noexcept : connection_(connection) {}

    core::Result<void> add(const ClientKey& key) override;
    core::Result<std::vector<ClientKey>> list() override;
    core::Result<std::optional<ClientKey>> find_by_name(std::string_view name) override;
    core::Result<void> set_status(std::string_view id, KeyStatus status) override;

private:
    core::Result<std::vector<ClientKey>> read_all(core::Result<Rows> rows) const;

    Connection& connection_;
};

}  // namespace oai::store::sqlite
