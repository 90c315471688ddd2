#include "store/sqlite/secret_table.hpp"

#include <string>

namespace oai::store::sqlite {
namespace {

using core::Result;

constexpr char kGet[] = "SELECT sealed FROM secret WHERE name = ?";
constexpr char kPut[] =
    "INSERT INTO secret (name, sealed) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET sealed = ?2";
constexpr char kPutNew[] = "INSERT INTO secret (name, sealed) VALUES (?, ?) ON CONFLICT (name) DO NOTHING";
constexpr char kPutOver[] = "UPDATE secret SET sealed = ?3 WHERE name = ?1 AND sealed = ?2";
constexpr char kRemove[] = "DELETE FROM secret WHERE name = ?";
constexpr char kNames[] = "SELECT name FROM secret ORDER BY name";

}  // namespace

/// One statement, so its own transaction.
Result<std::int64_t> SecretTable::change(const char* sql, std::initializer_list<Value> values) {
    const std::lock_guard lock(connection_.mutex);
    return connection_.database.change(sql, values);
}

Result<std::optional<std::string>> SecretTable::get(std::string_view name) {
    const std::lock_guard lock(connection_.mutex);
    Result<Rows> rows = connection_.database.run(kGet, {name});
    if (!rows) return rows.error();
    const Result<bool> row = rows->next();
    if (!row) return row.error();
    if (!*row) return std::optional<std::string>{};
    return std::optional(std::string(rows->text(0)));
}

Result<void> SecretTable::put(std::string_view name, std::string_view sealed) {
    const Result<std::int64_t> changed = change(kPut, {name, sealed});
    if (!changed) return changed.error();
    return {};
}

Result<bool> SecretTable::replace(std::string_view name, std::string_view expected, std::string_view sealed) {
    const Result<std::int64_t> changed =
        expected.empty() ? change(kPutNew, {name, sealed}) : change(kPutOver, {name, expected, sealed});
    if (!changed) return changed.error();
    return *changed == 1;
}

Result<void> SecretTable::remove(std::string_view name) {
    const Result<std::int64_t> changed = change(kRemove, {name});
    if (!changed) return changed.error();
    return {};
}

Result<std::vector<std::string>> SecretTable::names() {
    const std::lock_guard lock(connection_.mutex);
    Result<Rows> rows = connection_.database.run(kNames);
    if (!rows) return rows.error();
    std::vector<std::string> names;
    while (true) {
        const Result<bool> row = rows->next();
        if (!row) return row.error();
        if (!*row) return names;
        names.emplace_back(rows->text(0));
    }
}

}  // namespace oai::store::sqlite
