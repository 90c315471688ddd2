#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "net/suspend.hpp"
#include "store/affinity_store.hpp"

namespace oai::upstream {

/// Where a request that names a resource must go.
struct Binding {
    std::string account;
    std::string version;

    friend bool operator==(const Binding&, const Binding&) = default;
};

struct AffinityLimits {
    std::size_t entries = 200'000;  ///< in memory, about 400 bytes each; those not used for the longest time go first
    std::size_t waiting = 200'000;  ///< changes that wait for a store that does not answer; more are not stored
    std::chrono::seconds keep = std::chrono::hours{24 * 90};  ///< since the last use
    /// How old the stored time of use may grow: a resource in steady use is written once in that time.
    std::chrono::seconds touch = std::chrono::hours{1};
};

/// Which account a resource was made through, for every worker: a bounded memory in front of the store. What the
/// request path calls never waits for the store: changes are written in the background, in batches. `owner` is the id
/// of the client key: a resource is found by its own owner only. Any thread may call; the table must outlive the tasks
/// it posts.
class AffinityTable {
public:
    /// `post` takes work to the store's thread.
    AffinityTable(store::AffinityStore& store, net::Post post, const core::Clock& clock,
                  const AffinityLimits& limits = {});
    AffinityTable(const AffinityTable&) = delete;

    /// Fills the memory with what was used last. Blocks; for the start. Returns how many it were.
    core::Result<std::size_t> load();

    void remember(std::string_view owner, std::string_view id, Binding binding);
    /// In memory only: no answer may also mean that it was not used for long, or that another process made it.
    std::optional<Binding> find(std::string_view owner, std::string_view id);
    /// In memory, else in the store, which is awaited.
    net::Awaitable<core::Result<std::optional<Binding>>> find_or_load(net::Worker& worker, std::string owner,
                                                                      std::string id);
    /// The resource was deleted.
    void forget(std::string_view owner, std::string_view id);

    /// Writes what waits. Blocks. When the store fails, it all waits for the next time: any later change, or a call.
    core::Result<void> flush();
    /// Removes from the store what was not used for `limits.keep`, in steps that let other writers between. Blocks.
    core::Result<std::size_t> purge();

    std::size_t size() const;
    /// Changes that were not stored because too many waited.
    std::size_t dropped() const;

private:
    using Key = std::pair<std::string_view, std::string_view>;  ///< owner and id
    struct Hash {
        std::size_t operator()(const Key& key) const noexcept;
    };
    struct Entry {
        store::Affinity affinity;
        core::WallTime stored_use;  ///< the time of use that the store has, or will have soon
    };
    struct Shard {
        mutable std::mutex mutex;
        std::list<Entry> by_use;                                            ///< the last used one first
        std::unordered_map<Key, std::list<Entry>::iterator, Hash> entries;  ///< keys point into the list
    };
    /// The last change of each resource; empty: it was deleted.
    using Changes = std::map<std::pair<std::string, std::string>, std::optional<store::Affinity>>;

    Shard& shard_of(const Key& key) noexcept;
    void insert(Shard& shard, store::Affinity affinity);
    bool enqueue(const Key& key, std::optional<store::Affinity> change);
    void schedule();
    core::Result<void> write(const Changes& changes);
    core::Result<std::optional<store::Affinity>> look_up(const std::string& owner, const std::string& id);

    store::AffinityStore& store_;
    net::Post post_;
    const core::Clock& clock_;
    AffinityLimits limits_;
    std::vector<Shard> shards_;
    std::size_t entries_per_shard_;

    std::mutex writing_;                ///< held while the store is written or read; taken before `waiting_mutex_`
    mutable std::mutex waiting_mutex_;  ///< taken after a shard's
    Changes waiting_;
    bool scheduled_ = false;
    std::size_t dropped_ = 0;
    std::atomic<bool> failing_{false};  ///< to log the first failure only
};

}  // namespace oai::upstream
