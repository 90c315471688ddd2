#pragma once

#include "store/settings_store.hpp"
#include "store/sqlite/connection.hpp"

namespace oai::store::sqlite {

/// SettingsStore on table setting.
class SettingTable final : public SettingsStore {
public:
    explicit SettingTable(Connection& connection) noexcept : connection_(connection) {}

    core::Result<std::optional<Setting>> get(std::string_view name) override;
    core::Result<std::int64_t> put(std::string_view name, std::string_view value) override;
    core::Result<std::optional<std::int64_t>> put_if(std::string_view name, std::string_view value,
                                                     std::int64_t expected) override;

private:
    core::Result<std::optional<std::int64_t>> version_after(const char* sql, std::initializer_list<Value> values);

    Connection& connection_;
};

}  // namespace oai::store::sqlite
