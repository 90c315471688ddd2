#pragma once

#include <memory>
#include <string_view>

#include "core/result.hpp"
#include "store/store.hpp"

namespace oai::store {

/// Opens the store that `url` names, brought up to this program's schema:
///   memory:       lost when the program ends
///   sqlite:PATH   a file (relative to the working directory), made 0600 when missing, its directory 0700
/// Several processes may open one file, also at once. Errors: invalid_argument for a URL that names no backend,
/// io_failed with the file's name otherwise; a file written by a newer program is refused.
core::Result<std::unique_ptr<Store>> open(std::string_view url);

}  // namespace oai::store
