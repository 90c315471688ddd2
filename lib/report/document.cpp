#include "report/document.hpp"

#include "report/text.hpp"

namespace oai::report {
namespace {

// Okabe and Ito's blue, vermilion and yellow stay apart for every kind of colour blindness; the words say the same.
constexpr const char* kStyle = R"css(
:root { color-scheme: light dark; --bg: #ffffff; --fg: #1c2126; --soft: #57606a; --line: #d8dee4; --band: #f6f8fa;
  --good: #005f99; --good-bg: #e3f1fa; --bad: #b34700; --bad-bg: #fdebdf; --warn: #7a5b00; --warn-bg: #fdf4d3; }
@media (prefers-color-scheme: dark) {
  :root { --bg: #12161b; --fg: #e3e8ed; --soft: #9aa5b1; --line: #323a43; --band: #1a2027;
    --good: #6fbdf0; --good-bg: #10293a; --bad: #ff9c5b; --bad-bg: #3a200f; --warn: #e8c84a; --warn-bg: #322a0c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 70rem; background: var(--bg); color: var(--fg);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK SC", sans-serif; }
h1 { font-size: 1.5rem; margin: 1.5rem 0 0; }
.subtitle { color: var(--soft); margin: .2rem 0 0; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2.25rem 0 .6rem; }
.banner { border-left: .5rem solid var(--line); border-radius: .4rem; padding: .8rem 1.1rem; background: var(--band); }
.banner p { margin: 0; overflow-wrap: anywhere; }
.banner .word { font-size: 1.6rem; font-weight: 700; letter-spacing: .02em; }
.banner ul { margin: .5rem 0 0; padding-left: 1.2rem; }
.banner.good { border-color: var(--good); background: var(--good-bg); }
.banner.bad { border-color: var(--bad); background: var(--bad-bg); }
.banner.warn { border-color: var(--warn); background: var(--warn-bg); }
.good .word, td.good { color: var(--good); }
.bad .word, td.bad { color: var(--bad); }
.warn .word, td.warn { color: var(--warn); }
td.good, td.bad, td.warn { font-weight: 600; }
.box { overflow-x: auto; border: 1px solid var(--line); border-radius: .4rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .8rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
tbody tr:last-child td { border-bottom: 0; }
th { background: var(--band); color: var(--soft); font-weight: 600; font-size: .87rem; vertical-align: bottom; }
.right { text-align: right; }
td.right, td code { white-space: nowrap; }
section p { margin: .2rem 0 .5rem; }
code { font: .92em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
td:last-child:not(.right) { min-width: 11rem; overflow-wrap: anywhere; }
td:last-child code { white-space: normal; }
.note { color: var(--soft); font-size: .87rem; margin: .4rem 0 0; overflow-wrap: anywhere; }
details { margin-top: 2.25rem; }
summary { font-size: 1.1rem; font-weight: 700; cursor: pointer; margin-bottom: .6rem; }
@media print { body { max-width: none; padding: 0; } .box { overflow: visible; } }
)css";

std::string marked_word(const Banner& banner, bool symbols) {
    return (symbols ? symbol_of(banner.tone) + " " : "") + banner.word;
}

void append_html(std::string& out, const Section& section) {
    out += section.folded ? "<details>\n<summary>" + escape_markup(section.title) + "</summary>\n"
                          : "<section>\n<h2>" + escape_markup(section.title) + "</h2>\n";
    for (const std::string& line : section.lines) out += "<p>" + escape_markup(line) + "</p>\n";
    if (section.table) append_html(out, *section.table);
    for (const std::string& note : section.notes) out += "<p class=\"note\">" + escape_markup(note) + "</p>\n";
    out += section.folded ? "</details>\n" : "</section>\n";
}

void append_markdown(std::string& out, const Section& section) {
    out += section.folded ? "\n<details>\n<summary>" + escape_markup(section.title) + "</summary>\n"
                          : "\n## " + escape_markdown(section.title) + "\n";
    for (const std::string& line : section.lines) out += "\n" + escape_markdown(line) + "\n";
    if (section.table) {
        out += '\n';
        append_markdown(out, *section.table);
    }
    for (const std::string& note : section.notes) out += "\n" + escape_markdown(note) + "\n";
    if (section.folded) out += "\n</details>\n";
}

}  // namespace

std::string render_text(const Document& document, Terminal terminal) {
    std::string out = paint(clean(marked_word(document.banner, terminal.unicode)), document.banner.tone, terminal);
    out += "  " + clean(document.banner.sentence) + "\n";
    for (const std::string& reason : document.banner.reasons) out += "  - " + clean(reason) + "\n";
    out += clean(document.title) + ", " + clean(document.subtitle) + "\n";
    for (const Section& section : document.sections) {
        if (!section.on_terminal) continue;
        out += "\n" + clean(section.title) + "\n";
        for (const std::string& line : section.lines) out += "  " + clean(line) + "\n";
        if (section.table) append_text(out, *section.table, terminal);
        for (const std::string& note : section.notes) out += "  " + clean(note) + "\n";
    }
    return out;
}

std::string render_markdown(const Document& document) {
    std::string out = "# " + marked_word(document.banner, true) + ": " + escape_markdown(document.title) + "\n";
    out += "\n**" + escape_markdown(document.banner.sentence) + "**\n";
    if (!document.banner.reasons.empty()) out += '\n';
    for (const std::string& reason : document.banner.reasons) out += "- " + escape_markdown(reason) + "\n";
    out += "\n" + escape_markdown(document.subtitle) + "\n";
    for (const Section& section : document.sections) append_markdown(out, section);
    return out;
}

std::string render_html(const Document& document) {
    const std::string word = marked_word(document.banner, true);
    // The policy is a second lock: a text that got through the escaping could still load and run nothing.
    std::string out =
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n";
    out += "<title>" + escape_markup(document.banner.word + ": " + document.title) + "</title>\n";
    out += std::string("<style>") + kStyle + "</style>\n</head>\n<body>\n";
    out += "<div class=\"banner " + class_of(document.banner.tone) + "\" role=\"status\">\n";
    out +=
        "<p class=\"word\">" + escape_markup(word) + "</p>\n<p>" + escape_markup(document.banner.sentence) + "</p>\n";
    if (!document.banner.reasons.empty()) {
        out += "<ul>\n";
        for (const std::string& reason : document.banner.reasons) out += "<li>" + escape_markup(reason) + "</li>\n";
        out += "</ul>\n";
    }
    out += "</div>\n";
    out += "<h1>" + escape_markup(document.title) + "</h1>\n";
    out += "<p class=\"subtitle\">" + escape_markup(document.subtitle) + "</p>\n";
    for (const Section& section : document.sections) append_html(out, section);
    return out + "</body>\n</html>\n";
}

}  // namespace oai::report
