#pragma once

#include <span>

#include "core/result.hpp"
#include "store/sqlite/database.hpp"

namespace oai::store::sqlite {

/// The schema's history. The first makes version 1. Only ever append: a step that has run somewhere is never run again.
std::span<const char* const> migrations() noexcept;

/// Brings the database to the newest version, each time all or nothing; processes that start at once take turns.
/// Errors: io_failed for a database of a newer program or of another one.
core::Result<void> migrate(Database& database, std::span<const char* const> steps = migrations());

}  // namespace oai::store::sqlite
