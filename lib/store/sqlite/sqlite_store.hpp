#pragma once

#include <memory>
#include <string>

#include "core/result.hpp"
#include "store/store.hpp"

namespace oai::store {

/// A store in one file, for one machine; several processes may share it. See open.hpp for what is made and refused.
core::Result<std::unique_ptr<Store>> open_sqlite_store(const std::string& path);

}  // namespace oai::store
