#include "store/sqlite/setting_table.hpp"

#include <string>

namespace oai::store::sqlite {
namespace {

using core::Code;
using core::Error;
using core::Result;

// One statement each: it is its own transaction, and no other process comes between the look and the write.
constexpr char kGet[] = "SELECT value, version FROM setting WHERE name = ?";
constexpr char kPut[] =
    "INSERT INTO setting (name, value, version) VALUES (?1, ?2, 1) "
    "ON CONFLICT (name) DO UPDATE SET value = ?2, version = version + 1 RETURNING version";
constexpr char kPutNew[] =
    "INSERT INTO setting (name, value, version) VALUES (?1, ?2, 1) ON CONFLICT (name) DO NOTHING RETURNING version";
constexpr char kPutOver[] =
    "UPDATE setting SET value = ?2, version = version + 1 WHERE name = ?1 AND version = ?3 RETURNING version";

}  // namespace

Result<std::optional<std::int64_t>> SettingTable::version_after(const char* sql, std::initializer_list<Value> values) {
    Result<Rows> rows = connection_.database.run(sql, values);
    if (!rows) return rows.error();
    Result<bool> row = rows->next();
    if (!row) return row.error();
    if (!*row) return std::optional<std::int64_t>{};
    const std::int64_t version = rows->integer(0);
    // To the end: the change is committed by the last step, not by the one that returns the row.
    row = rows->next();
    if (!row) return row.error();
    return std::optional(version);
}

Result<std::optional<Setting>> SettingTable::get(std::string_view name) {
    const std::lock_guard lock(connection_.mutex);
    Result<Rows> rows = connection_.database.run(kGet, {name});
    if (!rows) return rows.error();
    const Result<bool> row = rows->next();
    if (!row) return row.error();
    if (!*row) return std::optional<Setting>{};
    return std::optional(Setting{std::string(rows->text(0)), rows->integer(1)});
}

Result<std::int64_t> SettingTable::put(std::string_view name, std::string_view value) {
    const std::lock_guard lock(connection_.mutex);
    const Result<std::optional<std::int64_t>> version = version_after(kPut, {name, value});
    if (!version) return version.error();
    if (!*version)
        return Error{.code = Code::internal, .detail = connection_.database.path() + ": a put returned no version"};
    return **version;
}

Result<std::optional<std::int64_t>> SettingTable::put_if(std::string_view name, std::string_view value,
                                                         std::int64_t expected) {
    const std::lock_guard lock(connection_.mutex);
    if (expected == 0) return version_after(kPutNew, {name, value});
    return version_after(kPutOver, {name, value, expected});
}

}  // namespace oai::store::sqlite
