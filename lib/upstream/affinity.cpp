#include "upstream/affinity.hpp"

#include <algorithm>
#include <functional>

#include "core/log.hpp"

namespace oai::upstream {
namespace {

using core::Result;

/// A shard is held for one or two microseconds (200,000 entries, cold caches); 64 of them make a meeting rare. A small
/// table has fewer, so that an uneven spread does not push out much before the table is full.
constexpr std::size_t kMostShards = 64;
constexpr std::size_t kLeastPerShard = 1024;
/// Changes per transaction, of writing and of purging: a few milliseconds in which no other process can write.
constexpr std::size_t kBatch = 1000;

}  // namespace

std::size_t AffinityTable::Hash::operator()(const Key& key) const noexcept {
    const std::hash<std::string_view> hash;
    // An odd multiplier: the low bits (buckets) and the high ones (shards) both depend on all of both.
    return (hash(key.first) * 31 + hash(key.second)) * 0x9E3779B97F4A7C15ULL;
}

AffinityTable::AffinityTable(store::AffinityStore& store, net::Post post, const core::Clock& clock,
                             const AffinityLimits& limits)
    : store_(store),
      post_(std::move(post)),
      clock_(clock),
      limits_(limits),
      shards_(std::clamp(limits.entries / kLeastPerShard, std::size_t{1}, kMostShards)),
      entries_per_shard_(std::max(std::size_t{1}, limits.entries / shards_.size())) {}

AffinityTable::Shard& AffinityTable::shard_of(const Key& key) noexcept {
    return shards_[(Hash{}(key) >> 32) % shards_.size()];
}

/// With the shard's mutex held, and without an entry of that key.
void AffinityTable::insert(Shard& shard, store::Affinity affinity) {
    if (shard.entries.size() >= entries_per_shard_) {
        const store::Affinity& oldest = shard.by_use.back().affinity;
        shard.entries.erase(Key(oldest.owner, oldest.id));
        shard.by_use.pop_back();
    }
    const core::WallTime used_at = affinity.used_at;
    shard.by_use.push_front(Entry{.affinity = std::move(affinity), .stored_use = used_at});
    const store::Affinity& kept = shard.by_use.front().affinity;
    shard.entries.emplace(Key(kept.owner, kept.id), shard.by_use.begin());
}

/// True when a flush must be scheduled, which the caller does when it holds no mutex any more.
bool AffinityTable::enqueue(const Key& key, std::optional<store::Affinity> change) {
    const std::lock_guard lock(waiting_mutex_);
    std::pair<std::string, std::string> owned(key);
    if (waiting_.size() >= limits_.waiting && !waiting_.contains(owned)) {
        ++dropped_;
    } else {
        waiting_.insert_or_assign(std::move(owned), std::move(change));
    }
    return !std::exchange(scheduled_, true);
}

void AffinityTable::schedule() {
    post_([this] {
        const Result<void> flushed = flush();
        const bool failed_before = failing_.exchange(!flushed);
        if (!flushed && !failed_before)
            core::log(core::LogLevel::warn, "affinities cannot be stored; they wait in memory",
                      {{"why", flushed.error().detail}});
        if (flushed && failed_before) core::log(core::LogLevel::info, "affinities are stored again");
    });
}

Result<std::size_t> AffinityTable::load() {
    Result<std::vector<store::Affinity>> latest = store_.latest(limits_.entries);
    if (!latest) return latest.error();
    std::for_each(latest->rbegin(), latest->rend(), [this](store::Affinity& affinity) {
        const Key key(affinity.owner, affinity.id);
        Shard& shard = shard_of(key);
        const std::lock_guard lock(shard.mutex);
        if (!shard.entries.contains(key)) insert(shard, std::move(affinity));
    });
    return latest->size();
}

void AffinityTable::remember(std::string_view owner, std::string_view id, Binding binding) {
    const core::WallTime now = clock_.wall_now();
    store::Affinity affinity{.owner = std::string(owner),
                             .id = std::string(id),
                             .account = std::move(binding.account),
                             .version = std::move(binding.version),
                             .created_at = now,
                             .used_at = now};
    const Key key(owner, id);
    Shard& shard = shard_of(key);
    bool flush_due = false;
    {
        const std::lock_guard lock(shard.mutex);
        if (const auto found = shard.entries.find(key); found != shard.entries.end()) {
            const auto entry = found->second;
            shard.entries.erase(found);
            shard.by_use.erase(entry);
        }
        flush_due = enqueue(key, affinity);
        insert(shard, std::move(affinity));
    }
    if (flush_due) schedule();
}

std::optional<Binding> AffinityTable::find(std::string_view owner, std::string_view id) {
    const Key key(owner, id);
    Shard& shard = shard_of(key);
    std::optional<Binding> binding;
    bool flush_due = false;
    {
        const std::lock_guard lock(shard.mutex);
        const auto found = shard.entries.find(key);
        if (found == shard.entries.end()) return std::nullopt;
        Entry& entry = *found->second;
        shard.by_use.splice(shard.by_use.begin(), shard.by_use, found->second);
        entry.affinity.used_at = std::max(entry.affinity.used_at, clock_.wall_now());
        if (entry.affinity.used_at - entry.stored_use >= limits_.touch) {
            entry.stored_use = entry.affinity.used_at;
            flush_due = enqueue(key, entry.affinity);
        }
        binding = Binding{entry.affinity.account, entry.affinity.version};
    }
    if (flush_due) schedule();
    return binding;
}

net::Awaitable<Result<std::optional<Binding>>> AffinityTable::find_or_load(net::Worker& worker, std::string owner,
                                                                           std::string id) {
    std::optional<Binding> known = find(owner, id);
    if (known) co_return known;
    const auto task = [this, owner, id] { return look_up(owner, id); };
    Result<std::optional<store::Affinity>> stored = co_await net::run_elsewhere(post_, worker, task);
    if (!stored) co_return stored.error();
    if (!*stored) co_return std::optional<Binding>{};
    known = Binding{(*stored)->account, (*stored)->version};
    const Key key(owner, id);
    Shard& shard = shard_of(key);
    {
        const std::lock_guard lock(shard.mutex);
        if (!shard.entries.contains(key)) insert(shard, **std::move(stored));
    }
    (void)find(owner, id);  // it was used now
    co_return known;
}

Result<std::optional<store::Affinity>> AffinityTable::look_up(const std::string& owner, const std::string& id) {
    const std::lock_guard no_write_between(writing_);
    {
        // Pushed out of the memory before it was written.
        const std::lock_guard lock(waiting_mutex_);
        if (const auto found = waiting_.find({owner, id}); found != waiting_.end()) return found->second;
    }
    return store_.get(owner, id);
}

void AffinityTable::forget(std::string_view owner, std::string_view id) {
    const Key key(owner, id);
    Shard& shard = shard_of(key);
    bool flush_due = false;
    {
        const std::lock_guard lock(shard.mutex);
        if (const auto found = shard.entries.find(key); found != shard.entries.end()) {
            const auto entry = found->second;
            shard.entries.erase(found);
            shard.by_use.erase(entry);
        }
        flush_due = enqueue(key, std::nullopt);
    }
    if (flush_due) schedule();
}

Result<void> AffinityTable::flush() {
    const std::lock_guard one_at_a_time(writing_);
    Changes changes;
    {
        const std::lock_guard lock(waiting_mutex_);
        scheduled_ = false;
        changes.swap(waiting_);
    }
    Result<void> written = write(changes);
    if (!written) {
        // All of them again: writing one twice changes nothing. What was changed meanwhile is newer and stays.
        const std::lock_guard lock(waiting_mutex_);
        waiting_.merge(changes);
    }
    return written;
}

Result<void> AffinityTable::write(const Changes& changes) {
    std::vector<store::Affinity> batch;
    for (const auto& [key, affinity] : changes) {
        if (affinity) {
            batch.push_back(*affinity);
        } else if (Result<void> removed = store_.remove(key.first, key.second); !removed) {
            return removed;
        }
        if (batch.size() < kBatch) continue;
        if (Result<void> put = store_.put(batch); !put) return put;
        batch.clear();
    }
    if (batch.empty()) return {};
    return store_.put(batch);
}

Result<std::size_t> AffinityTable::purge() {
    const core::WallTime limit = clock_.wall_now() - limits_.keep;
    std::size_t all = 0;
    while (true) {
        const Result<std::size_t> purged = store_.purge(limit, kBatch);
        if (!purged) return purged.error();
        all += *purged;
        if (*purged < kBatch) return all;
    }
}

std::size_t AffinityTable::size() const {
    std::size_t all = 0;
    for (const Shard& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        all += shard.entries.size();
    }
    return all;
}

std::size_t AffinityTable::dropped() const {
    const std::lock_guard lock(waiting_mutex_);
    return dropped_;
}

}  // namespace oai::upstream
