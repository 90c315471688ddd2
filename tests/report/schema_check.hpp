#pragma once

#include <string>
#include <vector>

#include "json/value.hpp"

namespace oai::report {

/// What in `document` does not fit the schema of that file in docs/schema, a line each: "limits.rules[0].state: …".
/// Knows the keywords our schemas use; any other keyword is a finding of its own, so that none is silently ignored.
std::vector<std::string> check_schema(const std::string& schema_file, const json::Value& document);

}  // namespace oai::report
