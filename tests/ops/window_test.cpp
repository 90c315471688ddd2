#include "ops/window.hpp"

#include <doctest/doctest.h>

#include "core/units.hpp"

using namespace oai;
using namespace oai::ops;

TEST_CASE("a window is a named range or two times, and anything else says what would be right") {
    const core::WallTime now = *core::parse_rfc3339("2026-02-12T09:00:00Z");
    const auto range = resolve_range("30m", std::nullopt, std::nullopt, now);
    CHECK(core::format_rfc3339(range->start) == "2026-02-12T08:30:00Z");
    CHECK(core::format_rfc3339(range->end) == "2026-02-12T09:00:00Z");
    const auto both = resolve_range(std::nullopt, "2026-02-12T08:00:00Z", "2026-02-12T08:15:00Z", now);
    CHECK(core::format_rfc3339(both->end) == "2026-02-12T08:15:00Z");
    const auto from = resolve_range("5m", "2026-02-12T08:00:00Z", std::nullopt, now);
    CHECK(core::format_rfc3339(from->start) == "2026-02-12T08:00:00Z");
    CHECK(core::format_rfc3339(from->end) == "2026-02-12T09:00:00Z");
    CHECK(resolve_range("35m", std::nullopt, std::nullopt, now).error().detail.find("5m 30m 1h 6h 24h 7d 30d") !=
          std::string::npos);
    CHECK_FALSE(resolve_range("5m", "yesterday", std::nullopt, now));
    CHECK_FALSE(resolve_range("5m", "2026-02-12T10:00:00Z", std::nullopt, now));
    CHECK_FALSE(resolve_range("5m", "2025-02-12T10:00:00Z", std::nullopt, now));
}
