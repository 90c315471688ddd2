#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/table.hpp"

/// One description of a report for people, rendered for a terminal, as Markdown and as HTML. Private to this folder.
namespace oai::report {

struct Section {
    std::string title;
    std::vector<std::string> lines;  ///< before the table
    std::optional<Table> table = {};
    std::vector<std::string> notes = {};  ///< after it
    bool folded = false;                  ///< closed until asked for, where the form can do that
    bool on_terminal = true;
};

/// The first thing one reads.
struct Banner {
    Tone tone = Tone::plain;
    std::string word;      ///< "PASS"
    std::string sentence;  ///< what that means here
    std::vector<std::string> reasons = {};
};

struct Document {
    std::string title;
    std::string subtitle;
    Banner banner;
    std::vector<Section> sections;
};

std::string render_text(const Document& document, Terminal terminal);
std::string render_markdown(const Document& document);
std::string render_html(const Document& document);

}  // namespace oai::report
