#pragma once

#include <span>
#include <string_view>

#include "core/result.hpp"

namespace oai::wire {

/// Whether that content type is multipart/form-data (RFC 7578).
bool is_form(std::string_view content_type) noexcept;

/// Values of the text fields `names[i]` of a form into `found[i]`, as far as the form is here: empty when there is no
/// such field in it, or it is cut, or the content type is another. The values are views into `body`. A field with a
/// file name is no text field. Refuses a name that stands twice: whoever reads the other one of the two would see a
/// different request. `found` must be as long as `names`.
core::Result<void> form_fields(std::string_view content_type, std::string_view body,
                               std::span<const std::string_view> names, std::span<std::string_view> found);

}  // namespace oai::wire
