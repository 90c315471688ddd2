#pragma once

#include <chrono>
#include <cstdint>

#include "core/clock.hpp"

namespace oai::store::sqlite {

// Times stand in columns named *_us: microseconds since 1970 in UTC, rounded down.

inline std::int64_t to_us(core::WallTime at) noexcept {
    return std::chrono::floor<core::microseconds>(at).time_since_epoch().count();
}

inline core::WallTime from_us(std::int64_t us) noexcept {
    return core::WallTime(core::microseconds(us));
}

}  // namespace oai::store::sqlite
