#include "store/sqlite/sqlite_store.hpp"

#include <mutex>
#include <utility>

#include "store/sqlite/affinity_table.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/key_table.hpp"
#include "store/sqlite/migrations.hpp"
#include "store/sqlite/secret_table.hpp"
#include "store/sqlite/setting_table.hpp"

namespace oai::store {
namespace {

using core::Code;
using core::Error;
using core::Result;

class SqliteStore final : public Store {
public:
    explicit SqliteStore(sqlite::Database database)
        : connection_(std::move(database)),
          keys_(connection_),
          settings_(connection_),
          affinities_(connection_),
          secrets_(connection_) {}

    std::string_view name() const noexcept override { return connection_.database.path(); }
    KeyStore& keys() noexcept override { return keys_; }
    SettingsStore& settings() noexcept override { return settings_; }
    AffinityStore& affinities() noexcept override { return affinities_; }
    SecretStore& secrets() noexcept override { return secrets_; }

private:
    sqlite::Connection connection_;
    sqlite::KeyTable keys_;
    sqlite::SettingTable settings_;
    sqlite::AffinityTable affinities_;
    sqlite::SecretTable secrets_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite_store(const std::string& path) {
    // "sqlite://data/x.db" would be /data/x.db here and something else to who knows such URLs; "sqlite:///x.db" is
    // /x.db to all.
    const bool host = path.starts_with("//") && !path.starts_with("///");
    if (path.empty() || path.front() == ':' || host)
        return Error{
            .code = Code::invalid_argument,
            .detail = "a store must be like sqlite:data/oaigw.db (or memory: for none), got \"sqlite:" + path + "\""};
    Result<sqlite::Database> database = sqlite::Database::open(path);
    if (!database) return database.error();
    if (Result<void> migrated = sqlite::migrate(*database); !migrated) return migrated.error();
    return std::unique_ptr<Store>(std::make_unique<SqliteStore>(*std::move(database)));
}

}  // namespace oai::store
