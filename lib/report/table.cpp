#include "report/table.hpp"

#include <algorithm>

#include "report/text.hpp"

namespace oai::report {
namespace {

bool has_head(const Table& table) {
    return std::any_of(table.columns.begin(), table.columns.end(), [](const Column& c) { return !c.title.empty(); });
}

std::string terminal_text(const Cell& cell, Terminal terminal) {
    const bool marked = cell.mark && terminal.unicode && cell.tone != Tone::plain;
    return (marked ? symbol_of(cell.tone) + " " : "") + clean(cell.text);
}

std::string marked(const Cell& cell) {
    return cell.mark && cell.tone != Tone::plain ? symbol_of(cell.tone) + " " : "";
}

}  // namespace

std::string symbol_of(Tone tone) {
    switch (tone) {
        case Tone::good: return "\xE2\x9C\x93";  // ✓
        case Tone::bad: return "\xE2\x9C\x97";   // ✗
        case Tone::warn: return "!";
        case Tone::plain: break;
    }
    return {};
}

std::string class_of(Tone tone) {
    switch (tone) {
        case Tone::good: return "good";
        case Tone::bad: return "bad";
        case Tone::warn: return "warn";
        case Tone::plain: break;
    }
    return {};
}

std::string paint(const std::string& text, Tone tone, Terminal terminal) {
    if (!terminal.color || tone == Tone::plain) return text;
    // Blue and yellow instead of green: red against green is what most colour-blind people cannot tell apart.
    const char* code = tone == Tone::good ? "\x1b[34m" : tone == Tone::bad ? "\x1b[1;31m" : "\x1b[33m";
    return code + text + "\x1b[0m";
}

void append_text(std::string& out, const Table& table, Terminal terminal) {
    std::vector<std::size_t> widths;
    for (const Column& column : table.columns) widths.push_back(display_width(column.title));
    for (const std::vector<Cell>& row : table.rows) {
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], display_width(terminal_text(row[i], terminal)));
    }
    // Blanks wait until something follows them: no line ends in blanks.
    const auto line = [&](auto cell_at) {
        std::size_t blanks = 0;
        for (std::size_t i = 0; i < widths.size(); ++i) {
            const auto [text, tone] = cell_at(i);
            const std::size_t pad = widths[i] - display_width(text);
            blanks += 2;
            if (!text.empty()) {
                out.append(blanks + (table.columns[i].right ? pad : 0), ' ');
                out += paint(text, tone, terminal);
                blanks = table.columns[i].right ? 0 : pad;
            } else {
                blanks += pad;
            }
        }
        out += '\n';
    };
    if (has_head(table)) line([&](std::size_t i) { return std::pair(table.columns[i].title, Tone::plain); });
    for (const std::vector<Cell>& row : table.rows)
        line([&](std::size_t i) { return std::pair(terminal_text(row[i], terminal), row[i].tone); });
}

void append_markdown(std::string& out, const Table& table) {
    out += '|';
    for (const Column& column : table.columns) out += " " + escape_markdown(column.title) + " |";
    out += "\n|";
    for (const Column& column : table.columns) out += column.right ? " ---: |" : " --- |";
    out += '\n';
    for (const std::vector<Cell>& row : table.rows) {
        out += '|';
        for (const Cell& cell : row)
            out += " " + marked(cell) + (cell.code ? markdown_code(cell.text) : escape_markdown(cell.text)) + " |";
        out += '\n';
    }
}

void append_html(std::string& out, const Table& table) {
    // The box scrolls on a narrow screen, not the page.
    out += "<div class=\"box\"><table>\n";
    if (has_head(table)) {
        out += "<thead><tr>";
        for (const Column& column : table.columns)
            out += std::string(column.right ? "<th class=\"right\" scope=\"col\">" : "<th scope=\"col\">") +
                   escape_markup(column.title) + "</th>";
        out += "</tr></thead>\n";
    }
    out += "<tbody>\n";
    for (const std::vector<Cell>& row : table.rows) {
        out += "<tr>";
        for (std::size_t i = 0; i < row.size(); ++i) {
            const Cell& cell = row[i];
            std::string classes = class_of(cell.tone);
            if (table.columns[i].right) classes += classes.empty() ? "right" : " right";
            out += classes.empty() ? "<td>" : "<td class=\"" + classes + "\">";
            out += marked(cell);
            out += cell.code ? "<code>" + escape_markup(cell.text) + "</code>" : escape_markup(cell.text);
            out += "</td>";
        }
        out += "</tr>\n";
    }
    out += "</tbody>\n</table></div>\n";
}

}  // namespace oai::report
