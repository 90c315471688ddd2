#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "core/clock.hpp"
#include "upstream/account.hpp"

namespace oai::upstream {

/// Where sessions are: hash of a session (and of its key and version) -> account. A session that had to go elsewhere
/// for one request keeps its place. Bounded; the least lately used of a shard goes first. Any number of threads.
class Sticky {
public:
    explicit Sticky(std::size_t most = 64 * 1024, std::chrono::nanoseconds lifetime = std::chrono::hours{1});

    /// Null when the session is new or rested longer than the lifetime.
    const AccountState* find(std::uint64_t session, core::TimePoint now);
    /// Binds a session that has no place yet.
    void bind(std::uint64_t session, const std::shared_ptr<AccountState>& account, core::TimePoint now);

private:
    struct Entry {
        std::shared_ptr<AccountState> account;
        core::TimePoint used{};
    };
    struct Shard {
        std::mutex mutex;
        std::unordered_map<std::uint64_t, Entry> entries;
    };
    static constexpr std::size_t kShards = 16;
    Shard& shard(std::uint64_t session) noexcept { return shards_[session % kShards]; }

    std::size_t most_per_shard_;
    std::chrono::nanoseconds lifetime_;
    std::array<Shard, kShards> shards_;
};

/// The hash a session goes by. `owner` keeps one key's sessions apart from another's; `scope` is the version.
std::uint64_t session_hash(std::string_view owner, std::string_view session) noexcept;
std::uint64_t combine(std::uint64_t session, std::string_view scope) noexcept;

}  // namespace oai::upstream
