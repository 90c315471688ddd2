#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace oai::config {

/// Looks up an environment variable; empty when it is not set. Passed in, so that a test decides what the environment
/// is.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

/// The environment of this process. Reads it at each call: do not change it from another thread meanwhile.
Environment process_environment();

/// Finds nothing.
Environment empty_environment();

}  // namespace oai::config
