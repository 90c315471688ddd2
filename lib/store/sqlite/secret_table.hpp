#pragma once

#include "store/secret_store.hpp"
#include "store/sqlite/connection.hpp"

namespace oai::store::sqlite {

/// SecretStore on table secret.
class SecretTable final : public SecretStore {
public:
    explicit SecretTable(Connection& connection) noexcept : connection_(connection) {}

    core::Result<std::optional<std::string>> get(std::string_view name) override;
    core::Result<void> put(std::string_view name, std::string_view sealed) override;
    core::Result<bool> replace(std::string_view name, std::string_view expected, std::string_view sealed) override;
    core::Result<void> remove(std::string_view name) override;
    core::Result<std::vector<std::string>> names() override;

private:
    core::Result<std::int64_t> change(const char* sql, std::initializer_list<Value> values);

    Connection& connection_;
};

}  // namespace oai::store::sqlite
