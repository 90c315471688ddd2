#include "store/sqlite/migrations.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace oai::store::sqlite {
namespace {

using core::Code;
using core::Error;
using core::Result;

constexpr std::array<const char*, 2> kMigrations{
    // 1: client keys and settings. Times are microseconds since 1970 in UTC. STRICT: a value of the wrong type is an
    // error at once.
    R"sql(
        CREATE TABLE client_key (
            id            TEXT NOT NULL PRIMARY KEY,
            name          TEXT NOT NULL UNIQUE,
            hash          TEXT NOT NULL UNIQUE,               -- 64 hex digits
            status        TEXT NOT NULL,
            created_at_us INTEGER NOT NULL,
            expires_at_us INTEGER,
            group_name    TEXT NOT NULL,
            models        TEXT NOT NULL                       -- JSON array of strings
        ) STRICT;
        CREATE TABLE setting (
            name    TEXT NOT NULL PRIMARY KEY,
            value   TEXT NOT NULL,
            version INTEGER NOT NULL
        ) STRICT;
    )sql",
    // 2: which account made a resource, and sealed credentials.
    R"sql(
        CREATE TABLE affinity (
            owner         TEXT NOT NULL,                      -- id of a client key
            id            TEXT NOT NULL,
            account       TEXT NOT NULL,
            version       TEXT NOT NULL,
            created_at_us INTEGER NOT NULL,
            used_at_us    INTEGER NOT NULL,
            PRIMARY KEY (owner, id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX affinity_by_use ON affinity (used_at_us);
        CREATE TABLE secret (
            name   TEXT NOT NULL PRIMARY KEY,
            sealed TEXT NOT NULL
        ) STRICT;
    )sql",
};

Result<std::int64_t> query_integer(Database& database, const char* sql) {
    Result<Rows> rows = database.run(sql);
    if (!rows) return rows.error();
    const Result<bool> row = rows->next();
    if (!row) return row.error();
    return *row ? rows->integer(0) : 0;
}

/// 0: an empty file.
Result<std::int64_t> schema_version(Database& database) {
    // One statement, so one moment: between two, another process may have made the tables.
    const Result<std::int64_t> tables = query_integer(database,
                                                      "SELECT CASE WHEN count(*) = 0 THEN 0 "
                                                      "WHEN sum(name = 'schema_migration') > 0 THEN 1 ELSE 2 END "
                                                      "FROM sqlite_schema WHERE type = 'table'");
    if (!tables) return tables.error();
    constexpr std::int64_t kNone = 0, kOurs = 1;
    if (*tables == kNone) return std::int64_t{0};
    if (*tables == kOurs) return query_integer(database, "SELECT coalesce(max(version), 0) FROM schema_migration");
    return Error{.code = Code::io_failed,
                 .detail = database.path() + ": is a SQLite database of another program; name another file"};
}

Result<void> check_not_newer(const Database& database, std::int64_t version, std::size_t known) {
    if (version <= static_cast<std::int64_t>(known)) return {};
    return Error{.code = Code::io_failed,
                 .detail = std::string(database.path()) + ": has schema version " + std::to_string(version) +
                           ", and this program knows up to " + std::to_string(known) +
                           "; run the newer program, or restore a copy from before its first start"};
}

Result<void> apply(Database& database, const char* step, std::int64_t version) {
    if (Result<void> done = database.execute(step); !done) return done;
    const Result<std::int64_t> marked = database.change("INSERT INTO schema_migration (version) VALUES (?)", {version});
    if (!marked) return marked.error();
    return {};
}

}  // namespace

std::span<const char* const> migrations() noexcept {
    return kMigrations;
}

Result<void> migrate(Database& database, std::span<const char* const> steps) {
    // A look without a lock first: the usual start has nothing to do and must not wait for a writer.
    Result<std::int64_t> version = schema_version(database);
    if (!version) return version.error();
    if (Result<void> good = check_not_newer(database, *version, steps.size()); !good) return good;
    if (*version == static_cast<std::int64_t>(steps.size())) return {};

    Result<Transaction> transaction = Transaction::begin(database);
    if (!transaction) return transaction.error();
    version = schema_version(database);  // again: another process may have migrated while we waited
    if (!version) return version.error();
    if (Result<void> good = check_not_newer(database, *version, steps.size()); !good) return good;
    if (Result<void> table = database.execute(
            "CREATE TABLE IF NOT EXISTS schema_migration (version INTEGER NOT NULL PRIMARY KEY) STRICT;");
        !table)
        return table;
    for (std::int64_t next = *version; next < static_cast<std::int64_t>(steps.size()); ++next) {
        if (Result<void> applied = apply(database, steps[static_cast<std::size_t>(next)], next + 1); !applied)
            return applied;
    }
    return transaction->commit();
}

}  // namespace oai::store::sqlite
