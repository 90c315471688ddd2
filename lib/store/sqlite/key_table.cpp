#include "store/sqlite/key_table.hpp"

#include <algorithm>
#include <string>

#include "core/ids.hpp"
#include "json/value.hpp"
#include "json/writer.hpp"
#include "store/key_rules.hpp"
#include "store/sqlite/times.hpp"

namespace oai::store::sqlite {
namespace {

using core::Code;
using core::Error;
using core::Result;

constexpr char kTaken[] =
    "SELECT CASE WHEN id = ?1 THEN 'id' WHEN name = ?2 THEN 'name' ELSE 'value' END FROM client_key "
    "WHERE id = ?1 OR name = ?2 OR hash = ?3 ORDER BY id = ?1 DESC, name = ?2 DESC LIMIT 1";
constexpr char kInsert[] =
    "INSERT INTO client_key (id, name, hash, status, created_at_us, expires_at_us, group_name, models) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
constexpr char kList[] =
    "SELECT id, name, hash, status, created_at_us, expires_at_us, group_name, models FROM client_key ORDER BY "
    "created_at_us, id";
constexpr char kFind[] =
    "SELECT id, name, hash, status, created_at_us, expires_at_us, group_name, models FROM client_key WHERE name = ?";
constexpr char kStatus[] = "SELECT status FROM client_key WHERE id = ?";
constexpr char kSetStatus[] = "UPDATE client_key SET status = ?2 WHERE id = ?1";

std::string to_json(const std::vector<std::string>& texts) {
    json::Writer writer;
    writer.begin_array();
    for (const std::string& text : texts) writer.value(text);
    writer.end_array();
    return writer.take();
}

/// False when the text is not what we write. Such a row is an error and not "no model list", which would allow every
/// model.
bool read_models(std::string_view text, std::vector<std::string>& out) {
    const Result<json::Value> list = json::Value::parse(text);
    if (!list || !list->is_array()) return false;
    for (const json::Value& item : list->items()) {
        const std::optional<std::string_view> model = item.as_string();
        if (!model) return false;
        out.emplace_back(*model);
    }
    return true;
}

bool read_hash(std::string_view hex, crypto::Digest& out) {
    const std::string bytes = core::from_hex(hex);
    if (bytes.size() != out.size()) return false;
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return true;
}

bool read_key(const Rows& rows, ClientKey& key) {
    key.id = rows.text(0);
    key.name = rows.text(1);
    const std::optional<KeyStatus> status = parse_key_status(rows.text(3));
    if (!status || !read_hash(rows.text(2), key.hash) || !read_models(rows.text(7), key.models)) return false;
    key.status = *status;
    key.created_at = from_us(rows.integer(4));
    if (const std::optional<std::int64_t> at = rows.maybe_integer(5)) key.expires_at = from_us(*at);
    key.group = rows.text(6);
    return true;
}

}  // namespace

Result<void> KeyTable::add(const ClientKey& key) {
    if (Result<void> good = check_new_key(key); !good) return good;
    const std::lock_guard lock(connection_.mutex);
    Database& database = connection_.database;
    // Asked inside the transaction instead of read from the constraint's message: that is SQLite's wording, not a
    // contract.
    Result<Transaction> transaction = Transaction::begin(database);
    if (!transaction) return transaction.error();
    const std::string hash = crypto::to_hex(key.hash);
    {
        Result<Rows> taken = database.run(kTaken, {key.id, key.name, hash});
        if (!taken) return taken.error();
        const Result<bool> row = taken->next();
        if (!row) return row.error();
        if (*row) return key_taken(taken->text(0), key);
    }
    const std::string models = to_json(key.models);
    const Value expires_at = key.expires_at ? Value(to_us(*key.expires_at)) : Value(nullptr);
    const Result<std::int64_t> inserted = database.change(
        kInsert, {key.id, key.name, hash, to_string(key.status), to_us(key.created_at), expires_at, key.group, models});
    if (!inserted) return inserted.error();
    return transaction->commit();
}

Result<std::vector<ClientKey>> KeyTable::read_all(Result<Rows> rows) const {
    if (!rows) return rows.error();
    std::vector<ClientKey> keys;
    while (true) {
        const Result<bool> row = rows->next();
        if (!row) return row.error();
        if (!*row) return keys;
        ClientKey key;
        if (!read_key(*rows, key))
            return Error{.code = Code::io_failed,
                         .detail = connection_.database.path() + ": client_key \"" + key.id +
                                   "\" holds a status, hash or model list that this program did not write"};
        keys.push_back(std::move(key));
    }
}

Result<std::vector<ClientKey>> KeyTable::list() {
    const std::lock_guard lock(connection_.mutex);
    return read_all(connection_.database.run(kList));
}

Result<std::optional<ClientKey>> KeyTable::find_by_name(std::string_view name) {
    const std::lock_guard lock(connection_.mutex);
    Result<std::vector<ClientKey>> keys = read_all(connection_.database.run(kFind, {name}));
    if (!keys) return keys.error();
    if (keys->empty()) return std::optional<ClientKey>{};
    return std::optional(std::move(keys->front()));
}

Result<void> KeyTable::set_status(std::string_view id, KeyStatus status) {
    const std::lock_guard lock(connection_.mutex);
    Database& database = connection_.database;
    Result<Transaction> transaction = Transaction::begin(database);
    if (!transaction) return transaction.error();
    {
        Result<Rows> found = database.run(kStatus, {id});
        if (!found) return found.error();
        const Result<bool> row = found->next();
        if (!row) return row.error();
        if (!*row) return key_unknown(id);
        const bool revoked = found->text(0) == to_string(KeyStatus::revoked);
        if (revoked && status != KeyStatus::revoked) return key_revoked(id);
    }
    const Result<std::int64_t> changed = database.change(kSetStatus, {id, to_string(status)});
    if (!changed) return changed.error();
    return transaction->commit();
}

}  // namespace oai::store::sqlite
