#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "core/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace oai::store::sqlite {

/// What a statement's `?` stands for. Text is read before `run` returns.
using Value = std::variant<std::nullptr_t, std::int64_t, std::string_view>;

/// One run of a statement. Its end resets the statement, so no read lock and no bound value outlives it.
class Rows {
public:
    explicit Rows(sqlite3_stmt* statement) noexcept : statement_(statement) {}

    /// True while there is a row; false at the end. Statements that change something run here too, in the first call.
    core::Result<bool> next();

    std::int64_t integer(int column) const noexcept;
    std::optional<std::int64_t> maybe_integer(int column) const noexcept;
    /// Valid until the next step.
    std::string_view text(int column) const noexcept;

private:
    struct Reset {
        void operator()(sqlite3_stmt* statement) const noexcept;
    };
    std::unique_ptr<sqlite3_stmt, Reset> statement_;
};

/// One connection, used by one thread at a time (the store holds a mutex). Errors are io_failed and name the file.
class Database {
public:
    /// Opens or makes the file: WAL, foreign keys, five seconds of patience with other processes.
    static core::Result<Database> open(const std::string& path);

    /// Runs one statement; `sql` must be a literal, for it is prepared once and remembered by its address, and because
    /// no SQL is ever built from values: those are bound, in the order of the question marks. The same statement must
    /// not be running.
    core::Result<Rows> run(const char* sql, std::initializer_list<Value> values = {});
    /// The same for a statement without rows to read; how many rows it changed.
    core::Result<std::int64_t> change(const char* sql, std::initializer_list<Value> values = {});
    /// Several statements without values and rows, such as a schema.
    core::Result<void> execute(const char* sql);

    const std::string& path() const noexcept { return path_; }

private:
    struct Close {
        void operator()(sqlite3* connection) const noexcept;
    };
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const noexcept;
    };
    explicit Database(std::string path) : path_(std::move(path)) {}
    core::Result<void> connect();
    core::Result<void> enter_wal();
    core::Result<sqlite3_stmt*> prepared(const char* sql);

    std::string path_;
    std::unique_ptr<sqlite3, Close> connection_;
    std::map<const char*, std::unique_ptr<sqlite3_stmt, Finalize>>
        statements_;  ///< after the connection: gone before it
};

/// Takes the write lock at once: a transaction that reads first and writes later can fail half way when another process
/// was faster, however long it waits. Rolls back unless committed.
class Transaction {
public:
    static core::Result<Transaction> begin(Database& database);
    Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();

    core::Result<void> commit();

private:
    explicit Transaction(Database& database) noexcept : database_(&database) {}
    Database* database_;
};

}  // namespace oai::store::sqlite
