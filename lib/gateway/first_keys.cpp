#include "gateway/first_keys.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include "core/ids.hpp"
#include "core/log.hpp"
#include "crypto/key_file.hpp"
#include "crypto/random.hpp"
#include "crypto/seal.hpp"

namespace oai::gateway {

using core::Code;
using core::Error;
using core::Result;

namespace {

constexpr std::string_view kAdminSetting = "admin_key_hash";

crypto::Digest digest_from_hex(std::string_view hex) {
    crypto::Digest digest{};
    const std::string bytes = core::from_hex(hex);
    if (bytes.size() == digest.size()) std::memcpy(digest.data(), bytes.data(), digest.size());
    return digest;
}

Result<crypto::Digest> admin_digest(const Config& config, const crypto::KeyedHash& hash, store::Store& store,
                                    FirstKeys& made) {
    if (!config.admin_key.empty()) return hash.digest(config.admin_key);
    const auto stored = store.settings().get(kAdminSetting);
    if (!stored) return stored.error();
    if (*stored) return digest_from_hex((**stored).value);
    made.admin = crypto::new_secret_key("oaigw-admin-");
    const crypto::Digest digest = hash.digest(made.admin);
    const auto put = store.settings().put_if(kAdminSetting, crypto::to_hex(digest), 0);
    if (!put) return put.error();
    if (!*put) {
        // Another process was first; its key is the one that counts.
        made.admin.clear();
        return admin_digest(config, hash, store, made);
    }
    return digest;
}

}  // namespace

Result<Keys> load_keys(const Config& config) {
    const std::string file = config.data_dir + "/encryption.key";
    const bool given = !config.encryption_key.empty();
    Result<crypto::Key> key = given ? crypto::parse_key_hex(config.encryption_key, "OAIGW_ENCRYPTION_KEY")
                              : config.store_url == "memory:"
                                  ? Result<crypto::Key>(crypto::sha256(crypto::random_bytes(32)))
                                  : crypto::load_or_create_key_file(file);
    if (!key) return key.error();
    // A key of its own for hashing: the sealer derives another one.
    return Keys{.hash = crypto::KeyedHash(crypto::as_bytes(crypto::derive_key(*key, "oaigw client key hash v1"))),
                .sealer = std::make_shared<const crypto::Sealer>(*key),
                .where = given ? "OAIGW_ENCRYPTION_KEY" : file};
}

Result<Credentials> load_credentials(const Config& config, const crypto::KeyedHash& hash, store::Store& store,
                                     FirstKeys& made) {
    const Result<crypto::Digest> admin = admin_digest(config, hash, store, made);
    if (!admin) return admin.error();
    auto keys = std::make_shared<ClientKeys>(hash);
    const auto stored = store.keys().list();
    if (!stored) return stored.error();
    for (const store::ClientKey& key : *stored)
        keys->add(key.hash,
                  ClientKey{key.id, key.name, key.group, key.status == store::KeyStatus::active, key.expires_at});
    for (const ConfiguredKey& key : config.keys)
        keys->add(hash.digest(key.value), ClientKey{"config:" + key.name, key.name, key.group, true, {}});
    if (keys->size() == 0 && config.auth_required) {
        made.client = crypto::new_secret_key("sk-oaigw-");
        store::ClientKey key{
            .id = "key_" + core::to_hex(crypto::random_bytes(8)), .name = "first", .hash = hash.digest(made.client)};
        key.created_at = core::system_clock().wall_now();
        if (const auto added = store.keys().add(key); !added) return added.error();
        keys->add(key.hash, ClientKey{key.id, key.name, "", true, {}});
    }
    return Credentials{.keys = std::move(keys), .admin = *admin};
}

Result<void> announce(const FirstKeys& made, const std::string& data_dir, bool terminal) {
    if (!made.any()) return {};
    std::string text;
    if (!made.admin.empty()) text += "admin key:  " + made.admin + "\n";
    if (!made.client.empty()) text += "client key: " + made.client + "\n";
    if (terminal) {
        text = "New keys, shown this once and stored hashed:\n" + text;
        [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
        return {};
    }
    const std::string path = data_dir + "/first-keys";
    std::error_code ignored;
    std::filesystem::create_directories(data_dir, ignored);
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    const bool good = file >= 0 && ::fchmod(file, 0600) == 0 &&
                      ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const int why = errno;
    if (file >= 0) ::close(file);
    if (!good) return Error{.code = Code::io_failed, .detail = "cannot write " + path + ": " + std::strerror(why)};
    core::log(core::LogLevel::info, "new keys were made; read them once and delete the file", {{"path", path}});
    return {};
}

}  // namespace oai::gateway
