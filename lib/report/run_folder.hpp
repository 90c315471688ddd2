#pragma once

#include <filesystem>
#include <string_view>

#include "core/clock.hpp"
#include "core/result.hpp"

namespace oai::report {

struct BaselineReport;

/// Makes `out_dir/<yyyymmddThhmmssZ>-<kind>`, and `out_dir` where it is missing. The folder is new: a second run in the
/// same second gets `…-2`. Precondition: `kind` is a word of ours (a-z, 0-9, -).
core::Result<std::filesystem::path> create_run_folder(const std::filesystem::path& out_dir, std::string_view kind,
                                                      core::WallTime started);

/// Whole or not at all: writes beside it, syncs, renames. The error names the path.
core::Result<void> write_file(const std::filesystem::path& path, std::string_view bytes);

/// report.json, report.md and report.html in `folder`.
core::Result<void> write_documents(const std::filesystem::path& folder, const BaselineReport& report);

}  // namespace oai::report
