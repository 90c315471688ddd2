#pragma once

#include <string>
#include <string_view>

#include "config/environment.hpp"
#include "core/result.hpp"

namespace oai::config {

/// The secret that `text` names: a literal, `env:NAME` or `file:PATH` (relative to the working directory, as every path
/// of a configuration is; line ends at its end are dropped). A variable or file that is missing or empty is an error:
/// an empty credential would fail later, far from its cause. Errors name the variable or the file and never hold a
/// secret.
core::Result<std::string> resolve_secret(std::string_view text, const Environment& environment);

/// The same for a command option, where `@PATH` reads a file too. `option` names it in errors, such as "--admin-token".
core::Result<std::string> read_secret_option(std::string_view option, std::string_view text,
                                             const Environment& environment);

}  // namespace oai::config
