#pragma once

#include <chrono>
#include <cstdint>

namespace oai::ops {

/// What this process uses. CPU is time since its start; a rate needs two readings.
struct SystemSample {
    std::int64_t cpu_us = 0;  ///< user and system
    std::int64_t rss_bytes = 0;
};
SystemSample read_system() noexcept;

}  // namespace oai::ops
