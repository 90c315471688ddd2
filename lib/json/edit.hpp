#pragma once

#include <string_view>
#include <vector>

#include "json/scanner.hpp"

namespace oai::json {

/// What has to go so that `member`, found in the object `body`, is not in it any more: its name, its value and one
/// comma. Precondition: `member` is present and its name holds no escaped quote.
std::string_view whole_member(std::string_view body, const Member& member) noexcept;

/// The empty place behind the opening brace of an object, to put `"name":value,` there.
std::string_view first_place(std::string_view object) noexcept;

/// The elements of an array as they stand, without the blanks around them. Text that is no whole array has none.
std::vector<std::string_view> elements(std::string_view array);

}  // namespace oai::json
