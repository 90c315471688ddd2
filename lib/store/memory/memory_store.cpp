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

/// Rounded down, as a column of microseconds keeps it.
core::WallTime to_microseconds(core::WallTime at) {
    return core::WallTime(std::chrono::floor<core::microseconds>(at));
}

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
        kept.created_at = to_microseconds(key.created_at);
        if (key.expires_at) kept.expires_at = to_microseconds(*key.expires_at);
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

class MemoryAffinities final : public AffinityStore {
public:
    Result<void> put(std::span<const Affinity> affinities) override {
        const std::lock_guard lock(mutex_);
        for (const Affinity& affinity : affinities) {
            const auto kept = affinities_.try_emplace(Key(affinity.owner, affinity.id), affinity).first;
            const core::WallTime used_at = std::max(affinity.used_at, kept->second.used_at);
            kept->second = affinity;
            kept->second.created_at = to_microseconds(affinity.created_at);
            kept->second.used_at = to_microseconds(used_at);
        }
        return {};
    }

    Result<std::optional<Affinity>> get(std::string_view owner, std::string_view id) override {
        const std::lock_guard lock(mutex_);
        const auto found = affinities_.find(Key(owner, id));
        if (found == affinities_.end()) return std::optional<Affinity>{};
        return std::optional(found->second);
    }

    Result<void> remove(std::string_view owner, std::string_view id) override {
        const std::lock_guard lock(mutex_);
        affinities_.erase(Key(owner, id));
        return {};
    }

    Result<std::vector<Affinity>> latest(std::size_t most) override {
        const std::lock_guard lock(mutex_);
        std::vector<Affinity> all = by_use();
        std::reverse(all.begin(), all.end());
        all.resize(std::min(all.size(), most));
        return all;
    }

    Result<std::size_t> purge(core::WallTime limit, std::size_t most) override {
        const std::lock_guard lock(mutex_);
        std::size_t purged = 0;
        for (const Affinity& affinity : by_use()) {
            if (affinity.used_at >= limit || purged == most) break;
            purged += affinities_.erase(Key(affinity.owner, affinity.id));
        }
        return purged;
    }

private:
    using Key = std::pair<std::string, std::string>;

    /// The oldest first.
    std::vector<Affinity> by_use() const {
        std::vector<Affinity> all;
        for (const auto& [key, affinity] : affinities_) all.push_back(affinity);
        std::sort(all.begin(), all.end(), [](const Affinity& a, const Affinity& b) { return a.used_at < b.used_at; });
        return all;
    }

    std::mutex mutex_;
    std::map<Key, Affinity> affinities_;
};

class MemorySecrets final : public SecretStore {
public:
    Result<std::optional<std::string>> get(std::string_view name) override {
        const std::lock_guard lock(mutex_);
        const auto found = secrets_.find(name);
        if (found == secrets_.end()) return std::optional<std::string>{};
        return std::optional(found->second);
    }

    Result<void> put(std::string_view name, std::string_view sealed) override {
        const std::lock_guard lock(mutex_);
        secrets_.insert_or_assign(std::string(name), sealed);
        return {};
    }

    Result<bool> replace(std::string_view name, std::string_view expected, std::string_view sealed) override {
        const std::lock_guard lock(mutex_);
        const auto found = secrets_.find(name);
        if (expected.empty() ? found != secrets_.end() : found == secrets_.end() || found->second != expected)
            return false;
        secrets_.insert_or_assign(std::string(name), sealed);
        return true;
    }

    Result<void> remove(std::string_view name) override {
        const std::lock_guard lock(mutex_);
        if (const auto found = secrets_.find(name); found != secrets_.end()) secrets_.erase(found);
        return {};
    }

    Result<std::vector<std::string>> names() override {
        const std::lock_guard lock(mutex_);
        std::vector<std::string> names;
        for (const auto& [name, sealed] : secrets_) names.push_back(name);
        return names;
    }

private:
    std::mutex mutex_;
    std::map<std::string, std::string, std::less<>> secrets_;
};

class MemoryStore final : public Store {
public:
    std::string_view name() const noexcept override { return "memory"; }
    KeyStore& keys() noexcept override { return keys_; }
    SettingsStore& settings() noexcept override { return settings_; }
    AffinityStore& affinities() noexcept override { return affinities_; }
    SecretStore& secrets() noexcept override { return secrets_; }

private:
    MemoryKeys keys_;
    MemorySettings settings_;
    MemoryAffinities affinities_;
    MemorySecrets secrets_;
};

}  // namespace

std::unique_ptr<Store> make_memory_store() {
    return std::make_unique<MemoryStore>();
}

}  // namespace oai::store
