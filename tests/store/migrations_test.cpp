#include "store/sqlite/migrations.hpp"

#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "store/open.hpp"
#include "store/temporary_folder.hpp"

using namespace oai::store::sqlite;
using oai::core::Code;
using oai::core::Result;

namespace {

constexpr const char* kFirst = "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1);";
constexpr const char* kSecond = "CREATE TABLE b (x INTEGER) STRICT; INSERT INTO a VALUES (2);";
constexpr const char* kBroken = "CREATE TABLE c (x INTEGER) STRICT; INSERT INTO nowhere VALUES (2);";

Database opened(const std::string& path) {
    Result<Database> database = Database::open(path);
    REQUIRE(database);
    return *std::move(database);
}

std::int64_t integer_of(Database& database, const char* sql) {
    Result<Rows> rows = database.run(sql);
    REQUIRE(rows);
    REQUIRE(*rows->next());
    return rows->integer(0);
}

}  // namespace

TEST_CASE("each step runs once, in order, also over several programs") {
    const TemporaryFolder folder;
    Database database = opened(folder / "a.db");
    CHECK(migrate(database, std::array{kFirst}));
    CHECK(migrate(database, std::array{kFirst}));
    CHECK(integer_of(database, "SELECT sum(x) FROM a") == 1);
    CHECK(migrate(database, std::array{kFirst, kSecond}));
    CHECK(migrate(database, std::array{kFirst, kSecond}));
    CHECK(integer_of(database, "SELECT sum(x) FROM a") == 3);
    CHECK(integer_of(database, "SELECT count(*) FROM b") == 0);
    CHECK(integer_of(database, "SELECT max(version) FROM schema_migration") == 2);
    CHECK(integer_of(database, "SELECT count(*) FROM schema_migration") == 2);
}

TEST_CASE("a step that fails leaves the database as it was") {
    const TemporaryFolder folder;
    Database database = opened(folder / "a.db");
    REQUIRE(migrate(database, std::array{kFirst}));
    const Result<void> migrated = migrate(database, std::array{kFirst, kSecond, kBroken});
    REQUIRE_FALSE(migrated);
    CHECK(migrated.error().detail.find(folder / "a.db") == 0);
    CHECK(integer_of(database, "SELECT max(version) FROM schema_migration") == 1);
    CHECK(integer_of(database, "SELECT count(*) FROM sqlite_schema WHERE name IN ('b', 'c')") == 0);
    CHECK(migrate(database, std::array{kFirst, kSecond}));
}

TEST_CASE("a database of a newer program is refused and left alone") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.db";
    {
        Database database = opened(path);
        REQUIRE(migrate(database));
        REQUIRE(database.change("INSERT INTO schema_migration (version) VALUES (7)"));
    }
    const Result<std::unique_ptr<oai::store::Store>> store = oai::store::open("sqlite:" + path);
    REQUIRE_FALSE(store);
    CHECK(store.error().code == Code::io_failed);
    CHECK(store.error().detail == path + ": has schema version 7, and this program knows up to " +
                                      std::to_string(migrations().size()) +
                                      "; run the newer program, or restore a copy from before its first start");
    // Refused by a look alone: it must not wait for the program that is writing it.
    Database writer = opened(path), reader = opened(path);
    const Result<Transaction> writing = Transaction::begin(writer);
    REQUIRE(writing);
    CHECK(migrate(reader).error().detail == store.error().detail);
}

TEST_CASE("a database of another program is refused and left alone") {
    const TemporaryFolder folder;
    Database database = opened(folder / "a.db");
    REQUIRE(database.execute("CREATE TABLE client_key (mine TEXT);"));
    const Result<void> migrated = migrate(database);
    REQUIRE_FALSE(migrated);
    CHECK(migrated.error().detail ==
          (folder / "a.db") + ": is a SQLite database of another program; name another file");
    CHECK(integer_of(database, "SELECT count(*) FROM sqlite_schema") == 1);
}

TEST_CASE("a row that this program cannot have written is an error, not a key without limits") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.db";
    const std::string hash(64, 'a');
    struct Row {
        const char* name;
        std::string hash, status, models;
        bool good;
    };
    const Row rows[] = {
        {"good", hash, "active", "[\"m\"]", true},
        {"status", hash, "on", "[]", false},
        {"hash", hash.substr(2), "active", "[]", false},
        {"models cut", hash, "active", "[\"m\"", false},
        {"no list", hash, "active", "{}", false},
        {"no texts", hash, "active", "[1]", false},
        {"empty", hash, "active", "", false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        Result<std::unique_ptr<oai::store::Store>> store = oai::store::open("sqlite:" + path);
        REQUIRE(store);
        Database database = opened(path);
        REQUIRE(database.execute("DELETE FROM client_key;"));
        REQUIRE(database.change("INSERT INTO client_key VALUES ('id', 'n', ?, ?, 0, NULL, '', ?)",
                                {row.hash, row.status, row.models}));
        const auto listed = (*store)->keys().list();
        CHECK(listed.has_value() == row.good);
        if (!listed) CHECK(listed.error().detail.find(path + ": client_key \"id\"") == 0);
        CHECK((*store)->keys().find_by_name("n").has_value() == row.good);
    }
}
