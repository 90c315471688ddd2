#include "store/memory/memory_store.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "store/key_rules.hpp"

namespace oai::store {
namespace {

using core::Code;
using core::Error;
using core::Result;

class MemoryKeys final : public KeyStore {
public:
    Result<void> add(const ClientKey& key) override {
        if (Result<void> good = check_new_key(key); !good) return good;
        const std::lock_guard lock(mutex_);
        for (const ClientKey& other : keys_) {
            if (other.id == key.id) return key_taken("id", key);
            if (other.name == key.name) return key_taken("name", key);
            if (other.hash == key.hash) return key_taken("value", key);
        }
        ClientKey kept = key;
        kept.created_at = core::WallTime(std::chrono::floor<core::microseconds>(key.created_at));
        if (key.expires_at) kept.expires_at = core::WallTime(std::chrono::floor<core::microseconds>(*key.expires_at));
        const auto later =
            std::upper_bound(keys_.begin(), keys_.end(), kept, [](const ClientKey& a, const ClientKey& b) {
                return std::tie(a.created_at, a.id) < std::tie(b.created_at, b.id);
            });
        keys_.insert(later, std::move(kept));
        return {};
    }

    Result<std::vector<ClientKey>> list() override {
        const std::lock_guard lock(mutex_);
        return keys_;
    }

    Result<std::optional<ClientKey>> find_by_name(std::string_view name) override {
        const std::lock_guard lock(mutex_);
        for (const ClientKey& key : keys_) {
            if (key.name == name) return std::optional(key);
        }
        return std::optional<ClientKey>{};
    }

    Result<void> set_status(std::string_view id, KeyStatus status) override {
        const std::lock_guard lock(mutex_);
        for (ClientKey& key : keys_) {
            if (key.id != id) continue;
            if (key.status == KeyStatus::revoked && status != KeyStatus::revoked) return key_revoked(id);
            key.status = status;
            return {};
        }
        return key_unknown(id);
    }

private:
    std::mutex mutex_;
    std::vector<ClientKey> keys_;  ///< in the order of list()
};

class MemorySettings final : public SettingsStore {
public:
    Result<std::optional<Setting>> get(std::string_view name) override {
        const std::lock_guard lock(mutex_);
        const auto found = settings_.find(name);
        if (found == settings_.end()) return std::optional<Setting>{};
        return std::optional(found->second);
    }

    Result<std::int64_t> put(std::string_view name, std::string_view value) override {
        const std::lock_guard lock(mutex_);
        return write(name, value);
    }

    Result<std::optional<std::int64_t>> put_if(std::string_view name, std::string_view value,
                                               std::int64_t expected) override {
        const std::lock_guard lock(mutex_);
        const auto found = settings_.find(name);
        if ((found == settings_.end() ? 0 : found->second.version) != expected) return std::optional<std::int64_t>{};
        return std::optional(write(name, value));
    }

private:
    std::int64_t write(std::string_view name, std::string_view value) {
        Setting& setting = settings_[std::string(name)];
        setting.value = value;
        return ++setting.version;
    }

    std::mutex mutex_;
    std::map<std::string, Setting, std::less<>> settings_;
};

class MemoryStore final : public Store {
public:
    std::string_view name() const noexcept override { return "memory"; }
    KeyStore& keys() noexcept override { return keys_; }
    SettingsStore& settings() noexcept override { return settings_; }

private:
    MemoryKeys keys_;
    MemorySettings settings_;
};

}  // namespace

std::unique_ptr<Store> make_memory_store() {
    return std::make_unique<MemoryStore>();
}

}  // namespace oai::store
