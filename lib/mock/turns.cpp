#include "mock/turns.hpp"

namespace oai::mock {
namespace {

constexpr std::size_t kMostKinds = 10'000;

}  // namespace

std::uint64_t Turns::next(std::initializer_list<std::string_view> kind) {
    std::string key;
    for (const std::string_view part : kind) key.append(part).push_back('\n');
    const std::lock_guard lock(mutex_);
    if (counts_.size() >= kMostKinds && !counts_.contains(key)) counts_.clear();
    return ++counts_[key];
}

}  // namespace oai::mock
