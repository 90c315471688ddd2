#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "fixtures.hpp"

namespace oai::report {
namespace {

/// Why the markup is not well formed: every tag closed in order, attributes in quotes, `<`, `&` only as markup. Empty
/// when it is. `void_tags`: HTML's tags without an end.
std::string why_malformed(std::string_view text, const std::vector<std::string>& void_tags) {
    std::vector<std::string> open;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '&') {
            const std::size_t end = text.find(';', i);
            if (end == text.npos || end - i > 7) return "bare & at " + std::to_string(i);
        }
        if (text[i] == '>') return "bare > at " + std::to_string(i);
        if (text[i] != '<') continue;
        const std::size_t end = text.find('>', i);
        if (end == text.npos) return "tag without end";
        std::string_view tag = text.substr(i + 1, end - i - 1);
        i = end;
        if (tag.front() == '!' || tag.front() == '?') continue;
        if (tag.find('<') != tag.npos) return "< inside of a tag: " + std::string(tag);
        std::size_t quotes = 0;
        for (const char c : tag) quotes += c == '"' ? 1 : 0;
        if (quotes % 2 != 0) return "odd quotes: " + std::string(tag);
        const bool closes = tag.front() == '/';
        if (closes) tag.remove_prefix(1);
        const bool empty = !tag.empty() && tag.back() == '/';
        const std::string name(tag.substr(0, tag.find_first_of(" /")));
        if (closes) {
            if (open.empty() || open.back() != name) return "unexpected end of " + name;
            open.pop_back();
            continue;
        }
        bool is_void = empty;
        for (const std::string& one : void_tags) is_void = is_void || one == name;
        if (!is_void) open.push_back(name);
        if (name == "style") {  // raw text up to its end; `>` may stand in a selector
            i = text.find("</style>", i);
            if (i == text.npos) return "style without end";
            --i;
        }
    }
    return open.empty() ? "" : "never closed: " + open.back();
}

std::size_t count_of(std::string_view text, std::string_view part) {
    std::size_t n = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++n;
    return n;
}

TEST_CASE("the checker of markup finds what is broken") {
    CHECK(why_malformed("<a><b c=\"d\"/></a>", {}) == "");
    CHECK(why_malformed("<a><b></a>", {}) == "unexpected end of a");
    CHECK(why_malformed("<a>", {}) == "never closed: a");
    CHECK(why_malformed("<a>1 & 2</a>", {}) == "bare & at 5");
    CHECK(why_malformed("<a b=\"c></a>", {}) == "odd quotes: a b=\"c");
}

TEST_CASE("HTML is well formed, needs no network and no script, and shows no credential") {
    for (const auto& [name, report] : fixtures::baselines()) {
        CAPTURE(name);
        const std::string html = write_html(report);
        CHECK(why_malformed(html, {"meta"}) == "");
        for (const char* reference :
             {"<script", "<link", "<img", "<iframe", "src=", "href=", "url(", "@import", "secret"})
            CHECK_MESSAGE(html.find(reference) == std::string::npos, reference);
        CHECK(html.find("<!doctype html>") == 0);
    }
}

TEST_CASE("a run that is invalid says so before anything else") {
    const BaselineReport report = fixtures::invalid_baseline();
    const std::string html = write_html(report), body = html.substr(html.find("<body>"));
    CHECK(body.find("INVALID RUN") < body.find("<h1>"));
    CHECK(write_markdown(report).find("INVALID RUN") < 10);
    CHECK(write_terminal(report, {}).find("INVALID RUN") == 0);
    CHECK(write_json(report).find("\"valid\": false") < 250);
}

TEST_CASE("Markdown keeps hostile text inside of its cell") {
    const std::string text = write_markdown(fixtures::breached_baseline());
    // In a code span it is text; anywhere else it would be a tag.
    for (std::size_t at = text.find("<script"); at != text.npos; at = text.find("<script", at + 1))
        CHECK(count_of(text.substr(text.rfind('\n', at), at - text.rfind('\n', at)), "`") % 2 == 1);
    CHECK(text.find("\n## head") == std::string::npos);
    CHECK(text.find("secret") == std::string::npos);
    // Every row of a table has as many borders as its head, not counting escaped ones.
    std::size_t borders = 0;
    for (std::size_t at = 0, end = 0; at < text.size(); at = end + 1) {
        end = text.find('\n', at);
        const std::string line = text.substr(at, end - at);
        if (line.empty() || line[0] != '|') {
            borders = 0;
            continue;
        }
        const std::size_t here = count_of(line, "|") - count_of(line, "\\|");
        if (borders == 0) borders = here;
        CHECK_MESSAGE(here == borders, line);
    }
}

TEST_CASE("a comment that would be too long for GitHub leaves its details out") {
    GuardReport report = fixtures::breached_guard();
    report.filters = {{"group", std::string(70'000, 'x')}};
    const std::string text = write_markdown(report);
    CHECK(text.size() < 65'536);
    CHECK(text.find("Details were left out") != std::string::npos);
    CHECK(text.find("<!-- oaiguard check target -->\n") == 0);
}

TEST_CASE("terminal text holds no control character but line ends, and colours only when asked") {
    const BaselineReport baseline = fixtures::breached_baseline();
    const GuardReport guard = fixtures::breached_guard();
    for (const std::string& text : {write_terminal(baseline, {}), write_terminal(guard, {})}) {
        for (const char c : text) CHECK((c == '\n' || static_cast<unsigned char>(c) >= 0x20));
        CHECK(text.find(" \n") == std::string::npos);
    }
    CHECK(write_terminal(guard, {.color = true}).find("\x1b[1;31mBREACH\x1b[0m") == 0);
    CHECK(write_terminal(guard, {.unicode = true}).find("\xE2\x9C\x97 BREACH") == 0);
    const std::string plain = write_terminal(fixtures::passing_guard(), {});
    for (const char c : plain) CHECK(static_cast<unsigned char>(c) < 0x80);
}

TEST_CASE("JUnit is well formed, and what could not be judged is skipped") {
    for (const auto& [name, report] : fixtures::guards()) {
        CAPTURE(name);
        const std::string xml = write_junit(report);
        CHECK(why_malformed(xml, {}) == "");
        CHECK(xml.find("secret") == std::string::npos);
        CHECK(count_of(xml, "<testcase") == report.judgement.rules.size());
    }
    const std::string breached = write_junit(fixtures::breached_guard());
    CHECK(breached.find("tests=\"5\" failures=\"2\" errors=\"0\" skipped=\"1\" time=\"1800.000\"") !=
          std::string::npos);
    CHECK(count_of(breached, "<failure") == 2);
    const std::string undecided = write_junit(fixtures::undecided_guard());
    CHECK(undecided.find("tests=\"4\" failures=\"0\" errors=\"0\" skipped=\"4\"") != std::string::npos);
    CHECK(count_of(undecided, "<skipped") == 4);
}

TEST_CASE("GitHub shows ten annotations of a type: the tenth says how many more there are") {
    GuardReport report = fixtures::breached_guard();
    const thresholds::RuleResult one = report.judgement.rules[0];
    report.judgement.rules.assign(14, one);
    const std::string text = write_annotations(report);
    CHECK(count_of(text, "\n") == 10);
    CHECK(text.find(", and 4 more\n") != std::string::npos);
    CHECK(write_annotations(fixtures::passing_guard()) ==
          "::notice title=oaiguard%3A PASS::Every required limit was judged and holds.\n");
}

}  // namespace
}  // namespace oai::report
