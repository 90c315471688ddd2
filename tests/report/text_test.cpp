#include "report/text.hpp"

#include <string>

#include <doctest/doctest.h>

namespace oai::report {
namespace {

using namespace std::string_literals;

TEST_CASE("clean keeps text and replaces what could move a cursor, reorder a line or break a parser") {
    struct Row {
        const char* name;
        std::string text, want;
    };
    const Row rows[] = {
        {"plain", "p99 <= 900ms", "p99 <= 900ms"},
        {"beyond ASCII", "\xE8\xAF\xB7\xE6\xB1\x82 \xF0\x9F\x9A\x80", "\xE8\xAF\xB7\xE6\xB1\x82 \xF0\x9F\x9A\x80"},
        {"line breaks are blanks",
         "a\nb\r\tc\xE2\x80\xA8"
         "d",
         "a b  c d"},
        {"terminal escape", "\x1b[2J", "\xEF\xBF\xBD[2J"},
        {"NUL and DEL", "a\0b\x7f"s,
         "a\xEF\xBF\xBD"
         "b\xEF\xBF\xBD"},
        {"C1 control",
         "\xC2\x9B"
         "1m",
         "\xEF\xBF\xBD"
         "1m"},
        {"right-to-left override",
         "\xE2\x80\xAE"
         "abc",
         "\xEF\xBF\xBD"
         "abc"},
        {"not a character", "\xEF\xBF\xBE", "\xEF\xBF\xBD"},
        {"stray byte",
         "a\xFF"
         "b",
         "a\xEF\xBF\xBD"
         "b"},
        {"overlong form", "\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"surrogate", "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"cut in the middle", "a\xE8\xAF", "a\xEF\xBF\xBD\xEF\xBF\xBD"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        CHECK(clean(row.text) == row.want);
        CHECK(clean(clean(row.text)) == row.want);
    }
}

TEST_CASE("cut counts characters and says that it cut") {
    CHECK(cut("abc", 3) == "abc");
    CHECK(cut("abcd", 3) == "ab\xE2\x80\xA6");
    CHECK(cut("\xE8\xAF\xB7\xE6\xB1\x82\xE8\xAF\xB7", 2) == "\xE8\xAF\xB7\xE2\x80\xA6");
    CHECK(cut("", 3) == "");
}

TEST_CASE("display width counts wide characters twice") {
    CHECK(display_width("p99") == 3);
    CHECK(display_width("\xE2\x9C\x93 ok") == 4);
    CHECK(display_width("\xE8\xAF\xB7\xE6\xB1\x82") == 4);
}

TEST_CASE("each form escapes what it would read as its own") {
    CHECK(escape_markup("<a href=\"x\" id='y'>&") == "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;");
    CHECK(escape_markdown("a|b *c* _d_ `e` [f](g) <h> # ~~i~~ \\") ==
          "a\\|b \\*c\\* \\_d\\_ \\`e\\` \\[f\\](g) &lt;h&gt; \\# \\~\\~i\\~\\~ \\\\");
    CHECK(escape_markdown("@team") == "@\xE2\x80\x8Bteam");
    CHECK(markdown_code("a|b`c") == "`a\\|b'c`");
    CHECK(markdown_code("a\\|b") == "`a\\ \\|b`");
    CHECK(markdown_code("") == "");
    CHECK(escape_command("50%\r\n::error::x") == "50%25%0D%0A::error::x");
    CHECK(escape_command_property("a:b,c%\n") == "a%3Ab%2Cc%25%0A");
}

TEST_CASE("a URL is shown without what could be a credential") {
    CHECK(without_credentials("http://127.0.0.1:8080/v1") == "http://127.0.0.1:8080/v1");
    CHECK(without_credentials("https://user:pa@ss@host/p@th?key=1#x") == "https://host/p@th");
    CHECK(without_credentials("https://token@host") == "https://host");
    CHECK(without_credentials("reports/a@b/report.json") == "reports/a@b/report.json");
    CHECK(without_credentials("http://") == "http://");
}

}  // namespace
}  // namespace oai::report
