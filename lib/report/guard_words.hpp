#pragma once

#include <string>
#include <string_view>

#include "report/guard.hpp"

/// What the forms of a guard report have in common. Private to this folder.
namespace oai::report {

std::string_view name_of(SourceKind kind) noexcept;  ///< "gateway", "ancestor", "report"

/// "2026-02-12T09:00:00Z to 2026-02-12T09:30:00Z (asked: 30m)"
std::string window_text(const GuardWindow& window);

/// Exit code N instead of M; empty when nothing was remapped.
std::string remapped_text(const GuardReport& report);

}  // namespace oai::report
