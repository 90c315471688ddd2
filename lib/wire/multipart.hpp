#pragma once

#include <string_view>

namespace oai::wire {

/// The value of a text field of a multipart/form-data body (RFC 7578), as far as the body is here: empty when there is
/// no such field in it, or it is cut, or the content type is another. The value is a view into `body`. A field with a
/// file name is no text field.
std::string_view multipart_field(std::string_view content_type, std::string_view body, std::string_view name) noexcept;

}  // namespace oai::wire
