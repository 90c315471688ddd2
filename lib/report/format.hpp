#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "metrics/tally.hpp"

/// Numbers as people read them, from integers by integer arithmetic. Rounding happens here and decides nothing.
/// Private to this folder.
namespace oai::report {

/// What stands where there is no value: no data is not zero.
inline constexpr const char* kNone = "-";

/// "1244.000"; kNone when empty.
std::string ms_text(std::optional<std::chrono::microseconds> value);
/// "0.139 %", rounded half up. Precondition: the denominator is not 0.
std::string percent_text(const metrics::Ratio& ratio);
/// "0.139 % (3 of 2160)"; kNone when empty.
std::string rate_text(const std::optional<metrics::Ratio>& ratio);
/// "8/s", "0.500/s": num per den seconds.
std::string per_second_text(const metrics::Ratio& rate);
/// "11.999/s"; kNone when no time passed.
std::string per_second_text(std::uint64_t count, std::chrono::microseconds during);
/// "3m", "180.012 s": whole seconds in their shortest form, others to the millisecond.
std::string time_text(std::chrono::microseconds value);
/// "24.5 MiB".
std::string mib_text(std::uint64_t bytes);

}  // namespace oai::report
