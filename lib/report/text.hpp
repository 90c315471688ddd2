#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Text from outside (messages, names, URLs) on its way into a document. Private to this folder.
/// Everything that prints goes through clean() once, then through the escape of its form.
namespace oai::report {

/// Valid UTF-8 on one line: line breaks and tabs become blanks; control characters, bidirectional overrides and bytes
/// that are not UTF-8 become U+FFFD, so no text can move a terminal's cursor, reorder a line or break an XML parser.
std::string clean(std::string_view text);

/// At most `max` code points, the last of them an ellipsis when something was cut. Precondition: clean.
std::string cut(std::string_view text, std::size_t max);

/// Columns of a terminal: wide East Asian characters take two. Precondition: clean.
std::size_t display_width(std::string_view text) noexcept;

/// For text and for attributes in quotes, in HTML and in XML.
std::string escape_markup(std::string_view text);
/// Plain text in a paragraph or in a cell of a table: no emphasis, link, tag, cell border or mention comes of it.
std::string escape_markdown(std::string_view text);
/// A code span that also may stand in a cell of a table; empty for an empty text.
std::string markdown_code(std::string_view text);
/// GitHub workflow command: the message after `::`.
std::string escape_command(std::string_view text);
/// GitHub workflow command: a property such as `title=`.
std::string escape_command_property(std::string_view text);

/// The URL without what stands before its `@`, and without query and fragment: those may hold credentials too.
std::string without_credentials(std::string_view url);

}  // namespace oai::report
