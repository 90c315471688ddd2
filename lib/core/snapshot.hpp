#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace oai::core {

/// The publishing point of an immutable value: configuration, weights, key lists.
/// Writers replace the whole value. A reader keeps its own shared_ptr (`Snapshot::load`, once per change, not per
/// request: it locks) and works with that copy, so one request sees one configuration.
template <class T>
class Snapshot {
public:
    explicit Snapshot(std::shared_ptr<const T> value) : value_(std::move(value)) {}

    std::shared_ptr<const T> load() const {
        const std::lock_guard lock(mutex_);
        return value_;
    }
    void store(std::shared_ptr<const T> value) {
        const std::lock_guard lock(mutex_);
        value_.swap(value);
    }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const T> value_;
};

}  // namespace oai::core
