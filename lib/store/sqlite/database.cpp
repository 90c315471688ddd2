#include "store/sqlite/database.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

#include <sqlite3.h>

namespace oai::store::sqlite {
namespace {

using core::Code;
using core::Error;
using core::Result;

/// How long a call waits for another process's write. Longer than any write of ours; a store thread waits, no worker
/// does.
constexpr std::chrono::seconds kPatience{5};

Error failed(sqlite3* connection, int result) {
    // The file name is the one thing SQLite does not say.
    const char* path = sqlite3_db_filename(connection, "main");
    std::string detail = std::string(path != nullptr ? path : "sqlite") + ": " + sqlite3_errmsg(connection);
    if ((result & 0xFF) == SQLITE_BUSY)
        detail += "; another process has kept it for " + std::to_string(kPatience.count()) + " s";
    return Error{.code = Code::io_failed, .detail = std::move(detail)};
}

Error failed(const std::string& path, const std::string& what, int error) {
    return Error{.code = Code::io_failed, .detail = path + ": " + what + ": " + std::strerror(error)};
}

/// Makes an empty file that only its owner can use, where there is none. SQLite would make it with the umask's mode;
/// its -wal and -shm files take the mode of the database.
Result<void> make_file(const std::string& path) {
    const std::filesystem::path parent = std::filesystem::path(path).parent_path();
    if (!parent.empty()) {
        std::error_code ec;
        if (parent.has_parent_path()) std::filesystem::create_directories(parent.parent_path(), ec);
        if (::mkdir(parent.c_str(), 0700) != 0 && errno != EEXIST)
            return failed(parent.string(), "the directory of the database cannot be made", errno);
    }
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno != EEXIST) return failed(path, "the database cannot be created", errno);
    if (fd >= 0) ::close(fd);
    return {};
}

int bind(sqlite3_stmt* statement, int index, const Value& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) return sqlite3_bind_int64(statement, index, *integer);
    const auto* text = std::get_if<std::string_view>(&value);
    if (text == nullptr) return sqlite3_bind_null(statement, index);
    // A null pointer would bind NULL, so an empty view gets an address.
    return sqlite3_bind_text64(statement, index, text->data() != nullptr ? text->data() : "", text->size(),
                               SQLITE_TRANSIENT, SQLITE_UTF8);
}

}  // namespace

void Rows::Reset::operator()(sqlite3_stmt* statement) const noexcept {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

Result<bool> Rows::next() {
    const int result = sqlite3_step(statement_.get());
    if (result == SQLITE_ROW) return true;
    if (result == SQLITE_DONE) return false;
    return failed(sqlite3_db_handle(statement_.get()), result);
}

std::int64_t Rows::integer(int column) const noexcept {
    return sqlite3_column_int64(statement_.get(), column);
}

std::optional<std::int64_t> Rows::maybe_integer(int column) const noexcept {
    if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
    return integer(column);
}

std::string_view Rows::text(int column) const noexcept {
    sqlite3_stmt* statement = statement_.get();
    // As a blob: the same bytes as the text, and a column that holds a blob is not converted. Before _bytes, as SQLite
    // asks.
    const void* bytes = sqlite3_column_blob(statement, column);
    const int size = sqlite3_column_bytes(statement, column);
    if (bytes == nullptr) return {};
    return {static_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

void Database::Close::operator()(sqlite3* connection) const noexcept {
    sqlite3_close_v2(connection);  // v2: also when a statement is still there
}

Result<Database> Database::open(const std::string& path) {
    if (Result<void> made = make_file(path); !made) return made.error();
    Database database(path);
    if (Result<void> connected = database.connect(); !connected) return connected.error();
    return database;
}

Result<void> Database::connect() {
    sqlite3* connection = nullptr;
    // NOMUTEX: the stores' own mutex keeps threads apart. No URI: a path is a path.
    const int opened =
        sqlite3_open_v2(path_.c_str(), &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    connection_.reset(connection);  // to be closed even when the opening failed
    if (opened != SQLITE_OK)
        return Error{.code = Code::io_failed,
                     .detail = path_ + ": the database cannot be opened: " + sqlite3_errstr(opened)};
    sqlite3_extended_result_codes(connection, 1);
    sqlite3_busy_timeout(connection, static_cast<int>(std::chrono::milliseconds(kPatience).count()));
    if (Result<void> wal = enter_wal(); !wal) return wal;
    // NORMAL: in WAL mode a power cut may take back the last commits, never tear the file; `kill -9` loses nothing.
    // Enough for keys and settings, which people change. Usage is safe in the workers' journal until the store says it
    // is on disk.
    return execute("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;");
}

Result<void> Database::enter_wal() {
    // SQLite does not wait (busy_timeout or not) where two connections turn the same new file to WAL at once: one gets
    // BUSY.
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (true) {
        const int result = sqlite3_exec(connection_.get(), "PRAGMA journal_mode = WAL;", nullptr, nullptr, nullptr);
        if (result == SQLITE_OK) return {};
        if ((result & 0xFF) != SQLITE_BUSY || std::chrono::steady_clock::now() > deadline)
            return failed(connection_.get(), result);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

void Database::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
    sqlite3_finalize(statement);
}

Result<sqlite3_stmt*> Database::prepared(const char* sql) {
    const auto found = statements_.find(sql);
    if (found != statements_.end()) return found->second.get();
    sqlite3_stmt* statement = nullptr;
    const int result = sqlite3_prepare_v3(connection_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (result != SQLITE_OK) return failed(connection_.get(), result);
    statements_.emplace(sql, statement);
    return statement;
}

Result<Rows> Database::run(const char* sql, std::initializer_list<Value> values) {
    Result<sqlite3_stmt*> statement = prepared(sql);
    if (!statement) return statement.error();
    Rows rows(*statement);
    int index = 0;
    for (const Value& value : values) {
        if (const int result = bind(*statement, ++index, value); result != SQLITE_OK)
            return failed(connection_.get(), result);
    }
    return rows;
}

Result<std::int64_t> Database::change(const char* sql, std::initializer_list<Value> values) {
    Result<Rows> rows = run(sql, values);
    if (!rows) return rows.error();
    const Result<bool> row = rows->next();
    if (!row) return row.error();
    return std::int64_t{sqlite3_changes64(connection_.get())};
}

Result<void> Database::execute(const char* sql) {
    const int result = sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
    if (result != SQLITE_OK) return failed(connection_.get(), result);
    return {};
}

Result<Transaction> Transaction::begin(Database& database) {
    if (Result<void> begun = database.execute("BEGIN IMMEDIATE;"); !begun) return begun.error();
    return Transaction(database);
}

Transaction::~Transaction() {
    // A failed rollback means that SQLite has rolled back already.
    if (database_ != nullptr) (void)database_->execute("ROLLBACK;");
}

Result<void> Transaction::commit() {
    Result<void> done = database_->execute("COMMIT;");
    if (done) database_ = nullptr;
    return done;
}

}  // namespace oai::store::sqlite
