#include "store/lease.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

namespace oai::store {
namespace {

using core::Result;

/// As it stands in the setting: "<holder> <microseconds since 1970>". Free: an empty text.
struct Lease {
    std::string_view holder;
    core::WallTime until{};
};

Lease read_lease(std::string_view text) {
    const std::size_t blank = text.find(' ');
    if (blank == text.npos) return {};
    std::int64_t until_us = 0;
    std::from_chars(text.data() + blank + 1, text.data() + text.size(), until_us);
    return {text.substr(0, blank), core::WallTime(core::microseconds(until_us))};
}

}  // namespace

Result<bool> take_lease(SettingsStore& settings, std::string_view name, std::string_view holder, core::WallTime now,
                        std::chrono::seconds length) {
    const Result<std::optional<Setting>> found = settings.get(name);
    if (!found) return found.error();
    const Setting setting = found->value_or(Setting{});
    const Lease lease = read_lease(setting.value);
    // Longer than a lease can be: the clock was set back since, and the lease says nothing any more.
    const bool runs = lease.until > now && lease.until <= now + length;
    if (runs && lease.holder != holder) return false;
    const std::int64_t until_us = std::chrono::floor<core::microseconds>(now + length).time_since_epoch().count();
    const auto put = settings.put_if(name, std::string(holder) + " " + std::to_string(until_us), setting.version);
    if (!put) return put.error();
    return put->has_value();
}

Result<void> release_lease(SettingsStore& settings, std::string_view name, std::string_view holder) {
    const Result<std::optional<Setting>> found = settings.get(name);
    if (!found) return found.error();
    if (!*found || read_lease((*found)->value).holder != holder) return {};
    const auto put = settings.put_if(name, "", (*found)->version);
    if (!put) return put.error();  // empty: it ran out and another took it just now
    return {};
}

}  // namespace oai::store
