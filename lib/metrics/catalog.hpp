#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace oai::metrics {

/// The metrics of catalog.def that are distributions of integer microseconds.
enum class Duration : std::uint8_t {
#define OAI_DURATION(name, unit, meaning) name,
#include "metrics/catalog.def"
};

/// The metrics of catalog.def that are pairs of counts.
enum class Rate : std::uint8_t {
#define OAI_RATE(name, unit, better, meaning) name,
#include "metrics/catalog.def"
};

inline constexpr std::array kDurations = {
#define OAI_DURATION(name, unit, meaning) Duration::name,
#include "metrics/catalog.def"
};

inline constexpr std::array kRates = {
#define OAI_RATE(name, unit, better, meaning) Rate::name,
#include "metrics/catalog.def"
};

enum class Better : std::uint8_t { lower, higher };

constexpr std::size_t index_of(Duration metric) noexcept {
    return static_cast<std::size_t>(metric);
}
constexpr std::size_t index_of(Rate metric) noexcept {
    return static_cast<std::size_t>(metric);
}

std::string_view name_of(Duration metric) noexcept;
std::string_view name_of(Rate metric) noexcept;
std::string_view unit_of(Duration metric) noexcept;
std::string_view unit_of(Rate metric) noexcept;
std::string_view meaning_of(Duration metric) noexcept;
std::string_view meaning_of(Rate metric) noexcept;
Better better_of(Rate metric) noexcept;

std::optional<Duration> find_duration(std::string_view name) noexcept;
std::optional<Rate> find_rate(std::string_view name) noexcept;

}  // namespace oai::metrics
