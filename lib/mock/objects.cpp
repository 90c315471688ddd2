#include "mock/objects.hpp"

namespace oai::mock {

std::string Objects::key(const Resource& resource, std::string_view parent, std::string_view id) {
    std::string text(resource.path);
    text.append("\n").append(parent).append("\n").append(id);
    return text;
}

void Objects::erase(List::iterator at) {
    content_bytes_ -= at->content.size();
    places_.erase(key(*at->resource, at->parent, at->id));
    objects_.erase(at);
}

void Objects::add(Object object) {
    const std::lock_guard lock(mutex_);
    const std::string name = key(*object.resource, object.parent, object.id);
    if (const auto at = places_.find(name); at != places_.end()) erase(at->second);
    content_bytes_ += object.content.size();
    places_[name] = objects_.insert(objects_.end(), std::move(object));
    while (objects_.size() > kMost || content_bytes_ > kMostContent) erase(objects_.begin());
}

bool Objects::has(const Resource& resource, std::string_view parent, std::string_view id) {
    const std::lock_guard lock(mutex_);
    return places_.contains(key(resource, parent, id));
}

std::optional<Object> Objects::find(const Resource& resource, std::string_view parent, std::string_view id) {
    return change(resource, parent, id, [](Object&) {});
}

std::optional<Object> Objects::change(const Resource& resource, std::string_view parent, std::string_view id,
                                      const std::function<void(Object&)>& change) {
    const std::lock_guard lock(mutex_);
    const auto at = places_.find(key(resource, parent, id));
    if (at == places_.end()) return {};
    change(*at->second);
    return *at->second;
}

bool Objects::remove(const Resource& resource, std::string_view parent, std::string_view id) {
    const std::lock_guard lock(mutex_);
    const auto at = places_.find(key(resource, parent, id));
    if (at == places_.end()) return false;
    erase(at->second);
    return true;
}

std::vector<Object> Objects::all(const Resource& resource, std::string_view parent) {
    std::vector<Object> found;
    const std::lock_guard lock(mutex_);
    for (const Object& object : objects_) {
        if (object.resource == &resource && object.parent == parent) found.push_back(object);
    }
    return found;
}

}  // namespace oai::mock
