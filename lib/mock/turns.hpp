#pragma once

#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace oai::mock {

/// Counts requests by what they are about, for faults that end after some of them. From any thread.
class Turns {
public:
    /// Which request of that kind this is, from 1. After 10,000 kinds all counts begin anew: a mock that runs for
    /// weeks must not grow.
    std::uint64_t next(std::initializer_list<std::string_view> kind);

private:
    std::mutex mutex_;
    std::unordered_map<std::string, std::uint64_t> counts_;
};

}  // namespace oai::mock
