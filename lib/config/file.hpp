#pragma once

#include <cstddef>
#include <string>

#include "core/result.hpp"

namespace oai::config {

/// The file's bytes, `most` + 1 of them at the most: the caller tells what is too long. The error says why, without the
/// name.
core::Result<std::string> read_file(const std::string& path, std::size_t most);

}  // namespace oai::config
