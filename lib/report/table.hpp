#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "report/terminal.hpp"

/// One description of a table, three renderings. Private to this folder.
namespace oai::report {

/// What a colour and a symbol say; the word beside them says it too.
enum class Tone : std::uint8_t { plain, good, bad, warn };

struct Cell {
    std::string text;
    Tone tone = Tone::plain;
    bool mark = false;  ///< the symbol of the tone stands before the text
    bool code = false;  ///< from outside, or an identifier: set in a fixed width
};

struct Column {
    std::string title;
    bool right = false;  ///< numbers
};

struct Table {
    std::vector<Column> columns;  ///< without any title there is no head
    std::vector<std::vector<Cell>> rows;
};

void append_text(std::string& out, const Table& table, Terminal terminal);
void append_markdown(std::string& out, const Table& table);
void append_html(std::string& out, const Table& table);

/// "✓", "✗", "!"; empty for plain.
std::string symbol_of(Tone tone);
/// "good", "bad", "warn"; empty for plain. The class of a tone in HTML.
std::string class_of(Tone tone);
/// Escape sequences around a text in the colour of the tone, when the terminal has colours.
std::string paint(const std::string& text, Tone tone, Terminal terminal);

}  // namespace oai::report
