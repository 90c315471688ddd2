#include "store/sqlite/affinity_table.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "store/sqlite/times.hpp"

namespace oai::store::sqlite {
namespace {

using core::Result;

constexpr char kPut[] =
    "INSERT INTO affinity (owner, id, account, version, created_at_us, used_at_us) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (owner, id) DO UPDATE SET account = excluded.account, version = excluded.version, "
    "created_at_us = excluded.created_at_us, used_at_us = max(used_at_us, excluded.used_at_us)";
constexpr char kGet[] =
    "SELECT owner, id, account, version, created_at_us, used_at_us FROM affinity WHERE owner = ? AND id = ?";
constexpr char kRemove[] = "DELETE FROM affinity WHERE owner = ? AND id = ?";
constexpr char kLatest[] =
    "SELECT owner, id, account, version, created_at_us, used_at_us FROM affinity ORDER BY used_at_us DESC LIMIT ?";
constexpr char kPurge[] =
    "DELETE FROM affinity WHERE (owner, id) IN "
    "(SELECT owner, id FROM affinity WHERE used_at_us < ? ORDER BY used_at_us LIMIT ?)";

Affinity read_affinity(const Rows& rows) {
    return Affinity{.owner = std::string(rows.text(0)),
                    .id = std::string(rows.text(1)),
                    .account = std::string(rows.text(2)),
                    .version = std::string(rows.text(3)),
                    .created_at = from_us(rows.integer(4)),
                    .used_at = from_us(rows.integer(5))};
}

/// A negative LIMIT would mean none.
std::int64_t limit_of(std::size_t most) noexcept {
    return static_cast<std::int64_t>(std::min(most, std::size_t{std::numeric_limits<std::int32_t>::max()}));
}

}  // namespace

Result<void> AffinityTable::put(std::span<const Affinity> affinities) {
    const std::lock_guard lock(connection_.mutex);
    Result<Transaction> transaction = Transaction::begin(connection_.database);
    if (!transaction) return transaction.error();
    for (const Affinity& a : affinities) {
        const Result<std::int64_t> put = connection_.database.change(
            kPut, {a.owner, a.id, a.account, a.version, to_us(a.created_at), to_us(a.used_at)});
        if (!put) return put.error();
    }
    return transaction->commit();
}

Result<std::optional<Affinity>> AffinityTable::get(std::string_view owner, std::string_view id) {
    const std::lock_guard lock(connection_.mutex);
    Result<Rows> rows = connection_.database.run(kGet, {owner, id});
    if (!rows) return rows.error();
    const Result<bool> row = rows->next();
    if (!row) return row.error();
    if (!*row) return std::optional<Affinity>{};
    return std::optional(read_affinity(*rows));
}

Result<void> AffinityTable::remove(std::string_view owner, std::string_view id) {
    const std::lock_guard lock(connection_.mutex);
    const Result<std::int64_t> removed = connection_.database.change(kRemove, {owner, id});
    if (!removed) return removed.error();
    return {};
}

Result<std::vector<Affinity>> AffinityTable::latest(std::size_t most) {
    const std::lock_guard lock(connection_.mutex);
    Result<Rows> rows = connection_.database.run(kLatest, {limit_of(most)});
    if (!rows) return rows.error();
    std::vector<Affinity> found;
    while (true) {
        const Result<bool> row = rows->next();
        if (!row) return row.error();
        if (!*row) return found;
        found.push_back(read_affinity(*rows));
    }
}

Result<std::size_t> AffinityTable::purge(core::WallTime limit, std::size_t most) {
    const std::lock_guard lock(connection_.mutex);
    const Result<std::int64_t> purged = connection_.database.change(kPurge, {to_us(limit), limit_of(most)});
    if (!purged) return purged.error();
    return static_cast<std::size_t>(*purged);
}

}  // namespace oai::store::sqlite
