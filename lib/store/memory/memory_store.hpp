#pragma once

#include <memory>

#include "store/store.hpp"

namespace oai::store {

/// Keeps everything in this process: for tests, drills and a first look. Cannot fail but for its callers' mistakes.
std::unique_ptr<Store> make_memory_store();

}  // namespace oai::store
