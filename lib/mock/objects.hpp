#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mock/members.hpp"

namespace oai::mock {

/// One kind of object that is made, listed, changed and deleted: a row of resource_table.cpp.
struct Resource {
    std::string_view path;    ///< of the collection; a '*' is the parent's id
    std::string_view object;  ///< its "object"; empty: it has none
    std::string_view prefix;  ///< of its ids
    /// Its statuses, with blanks between: a new one has the first, and each GET of it moves on by one, so that whoever
    /// polls gets to the end. Empty: it has none.
    std::string_view life = {};
    std::string_view defaults = "{}";    ///< a JSON object: what clients expect, unless they sent it themselves
    std::string_view parent_field = {};  ///< the member that names the parent
    std::string_view given_id = {};      ///< the field of the request that is the new one's id
    std::string_view many = {};          ///< the request's array, each element of which becomes one
    bool is_file = false;                ///< has bytes and content
};

std::span<const Resource> resources() noexcept;
/// Null when no collection has that path.
const Resource* resource_at(std::string_view path) noexcept;

struct Object {
    const Resource* resource = nullptr;
    std::string parent = {};  ///< id; empty: none
    std::string id = {};
    Members members = {};      ///< all that is answered
    std::string content = {};  ///< of a file, when it was kept
    std::size_t life = 0;      ///< which of its statuses it has
};

/// All objects of all resources, bounded: after 10,000 of them, or 64 MiB of content, the oldest go. From any thread.
class Objects {
public:
    static constexpr std::size_t kMost = 10'000;
    static constexpr std::size_t kMostContent = std::size_t{64} << 20;

    void add(Object object);
    bool has(const Resource& resource, std::string_view parent, std::string_view id);
    /// A copy.
    std::optional<Object> find(const Resource& resource, std::string_view parent, std::string_view id);
    /// Changes one and gives a copy of what it became.
    std::optional<Object> change(const Resource& resource, std::string_view parent, std::string_view id,
                                 const std::function<void(Object&)>& change);
    bool remove(const Resource& resource, std::string_view parent, std::string_view id);
    /// Copies, in the order they were made.
    std::vector<Object> all(const Resource& resource, std::string_view parent);

private:
    using List = std::list<Object>;
    static std::string key(const Resource& resource, std::string_view parent, std::string_view id);
    void erase(List::iterator at);

    std::mutex mutex_;
    List objects_;
    std::unordered_map<std::string, List::iterator> places_;
    std::size_t content_bytes_ = 0;
};

}  // namespace oai::mock
