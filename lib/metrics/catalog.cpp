#include "metrics/catalog.hpp"

namespace oai::metrics {
namespace {

struct Entry {
    std::string_view name, unit, meaning;
    Better better = Better::lower;
};

constexpr Entry kDurationEntries[] = {
#define OAI_DURATION(name, unit, meaning) {#name, unit, meaning},
#include "metrics/catalog.def"
};

constexpr Entry kRateEntries[] = {
#define OAI_RATE(name, unit, better, meaning) {#name, unit, meaning, Better::better},
#include "metrics/catalog.def"
};

const Entry& entry(Duration metric) noexcept {
    return kDurationEntries[index_of(metric)];
}

const Entry& entry(Rate metric) noexcept {
    return kRateEntries[index_of(metric)];
}

}  // namespace

std::string_view name_of(Duration metric) noexcept {
    return entry(metric).name;
}

std::string_view name_of(Rate metric) noexcept {
    return entry(metric).name;
}

std::string_view unit_of(Duration metric) noexcept {
    return entry(metric).unit;
}

std::string_view unit_of(Rate metric) noexcept {
    return entry(metric).unit;
}

std::string_view meaning_of(Duration metric) noexcept {
    return entry(metric).meaning;
}

std::string_view meaning_of(Rate metric) noexcept {
    return entry(metric).meaning;
}

Better better_of(Rate metric) noexcept {
    return entry(metric).better;
}

std::optional<Duration> find_duration(std::string_view name) noexcept {
    for (const Duration metric : kDurations) {
        if (name_of(metric) == name) return metric;
    }
    return std::nullopt;
}

std::optional<Rate> find_rate(std::string_view name) noexcept {
    for (const Rate metric : kRates) {
        if (name_of(metric) == name) return metric;
    }
    return std::nullopt;
}

}  // namespace oai::metrics
