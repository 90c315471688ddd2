#include "upstream/sticky.hpp"

#include <algorithm>

#include <xxhash.h>

namespace oai::upstream {

Sticky::Sticky(std::size_t most, std::chrono::nanoseconds lifetime)
    : most_per_shard_(std::max<std::size_t>(1, most / kShards)), lifetime_(lifetime) {}

const AccountState* Sticky::find(std::uint64_t session, core::TimePoint now) {
    Shard& in = shard(session);
    const std::lock_guard lock(in.mutex);
    const auto found = in.entries.find(session);
    if (found == in.entries.end()) return nullptr;
    if (now - found->second.used > lifetime_) {
        in.entries.erase(found);
        return nullptr;
    }
    found->second.used = now;
    return found->second.account.get();
}

void Sticky::bind(std::uint64_t session, const std::shared_ptr<AccountState>& account, core::TimePoint now) {
    Shard& in = shard(session);
    const std::lock_guard lock(in.mutex);
    if (in.entries.size() >= most_per_shard_) {
        // Seldom: the older half goes at once, so that the search for it is paid once per many.
        std::vector<core::TimePoint> used;
        used.reserve(in.entries.size());
        for (const auto& [hash, entry] : in.entries) used.push_back(entry.used);
        const auto middle = used.begin() + static_cast<std::ptrdiff_t>(used.size() / 2);
        std::ranges::nth_element(used, middle);
        std::erase_if(in.entries, [&](const auto& entry) { return entry.second.used <= *middle; });
    }
    in.entries.try_emplace(session, Entry{account, now});
}

std::uint64_t session_hash(std::string_view owner, std::string_view session) noexcept {
    return XXH3_64bits_withSeed(session.data(), session.size(), XXH3_64bits(owner.data(), owner.size()));
}

std::uint64_t combine(std::uint64_t session, std::string_view scope) noexcept {
    return XXH3_64bits_withSeed(scope.data(), scope.size(), session);
}

}  // namespace oai::upstream
