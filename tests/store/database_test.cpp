#include "store/sqlite/database.hpp"

#include <chrono>
#include <string>
#include <thread>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "store/temporary_folder.hpp"

using namespace oai::store::sqlite;
using oai::core::Code;
using oai::core::Result;

namespace {

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

TEST_CASE("a database is opened as the store needs it") {
    const TemporaryFolder folder;
    Database database = opened(folder / "a.db");
    CHECK(integer_of(database, "PRAGMA synchronous") == 1);
    CHECK(integer_of(database, "PRAGMA foreign_keys") == 1);
    CHECK(integer_of(database, "PRAGMA busy_timeout") == 5000);
    Result<Rows> mode = database.run("PRAGMA journal_mode");
    REQUIRE(*mode->next());
    CHECK(mode->text(0) == "wal");
}

TEST_CASE("a database that another process is just making is waited for") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.db";
    sqlite3* other = nullptr;  // as SQLite makes it, not in WAL mode yet, with the write lock taken
    REQUIRE(sqlite3_open(path.c_str(), &other) == SQLITE_OK);
    REQUIRE(sqlite3_exec(other, "CREATE TABLE t (a); BEGIN IMMEDIATE;", nullptr, nullptr, nullptr) == SQLITE_OK);
    std::string failure = "not opened";
    {
        const std::jthread opening([&] {
            const Result<Database> database = Database::open(path);
            failure = database ? "" : database.error().detail;
        });
        // Time for a first try, which must not be the last one; however long it is, the right code passes.
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        CHECK(sqlite3_exec(other, "COMMIT;", nullptr, nullptr, nullptr) == SQLITE_OK);
    }
    CHECK(failure == "");
    sqlite3_close(other);
}

TEST_CASE("values are bound in order and never read as SQL") {
    const TemporaryFolder folder;
    Database database = opened(folder / "a.db");
    REQUIRE(database.execute("CREATE TABLE t (a TEXT, b INTEGER, c TEXT) STRICT;"));
    const char* insert = "INSERT INTO t VALUES (?, ?, ?)";
    CHECK(*database.change(insert, {"'); DROP TABLE t; --", std::int64_t{7}, nullptr}) == 1);
    CHECK(*database.change(insert, {std::string_view(), nullptr, "z"}) == 1);
    Result<Rows> rows = database.run("SELECT a, b, c FROM t ORDER BY rowid");
    REQUIRE(rows);
    REQUIRE(*rows->next());
    CHECK(rows->text(0) == "'); DROP TABLE t; --");
    CHECK(rows->maybe_integer(1) == 7);
    CHECK(rows->text(2) == "");
    REQUIRE(*rows->next());
    CHECK(rows->text(0) == "");
    CHECK_FALSE(rows->maybe_integer(1).has_value());
    CHECK_FALSE(*rows->next());
}

TEST_CASE("failures are values that name the file") {
    const TemporaryFolder folder;
    Database database = opened(folder / "a.db");
    REQUIRE(database.execute("CREATE TABLE t (a INTEGER NOT NULL UNIQUE) STRICT;"));
    const Result<Rows> wrong = database.run("SELECT nothing FROM t");
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().code == Code::io_failed);
    CHECK(wrong.error().detail.find(folder / "a.db") == 0);
    CHECK(wrong.error().detail.find("nothing") != std::string::npos);
    const char* insert = "INSERT INTO t VALUES (?)";
    CHECK(database.change(insert, {std::int64_t{1}}));
    CHECK_FALSE(database.change(insert, {std::int64_t{1}}));
    CHECK_FALSE(database.change(insert, {"text"}));
    CHECK_FALSE(database.change(insert, {nullptr}));
    CHECK_FALSE(database.change(insert, {std::int64_t{1}, std::int64_t{2}}));  // one value too many
    CHECK(database.change(insert, {std::int64_t{2}}));                         // a failure leaves the statement usable
    CHECK(integer_of(database, "SELECT count(*) FROM t") == 2);
}

TEST_CASE("a transaction that is not committed has not happened") {
    const TemporaryFolder folder;
    Database database = opened(folder / "a.db"), other = opened(folder / "a.db");
    REQUIRE(database.execute("CREATE TABLE t (a INTEGER) STRICT;"));
    {
        Result<Transaction> transaction = Transaction::begin(database);
        REQUIRE(transaction);
        REQUIRE(database.change("INSERT INTO t VALUES (1)"));
        CHECK(integer_of(other, "SELECT count(*) FROM t") == 0);
    }
    CHECK(integer_of(database, "SELECT count(*) FROM t") == 0);
    {
        Result<Transaction> transaction = Transaction::begin(database);
        REQUIRE(transaction);
        REQUIRE(database.change("INSERT INTO t VALUES (1)"));
        REQUIRE(transaction->commit());
    }
    CHECK(integer_of(other, "SELECT count(*) FROM t") == 1);
}
