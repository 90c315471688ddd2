#include "config/section.hpp"

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "config/document.hpp"

using namespace oai::config;
using namespace std::chrono_literals;
using oai::core::Result;

namespace {

using Lines = std::vector<std::string>;

Document parsed(std::string_view text) {
    Result<Document> document =
        Document::parse(text, "x.toml", [](std::string_view name) -> std::optional<std::string> {
            if (name == "TOKEN") return "s3cret";
            return std::nullopt;
        });
    REQUIRE(document);
    return *std::move(document);
}

enum class Gone { cancel, drain };

Gone gone(const Section& section, std::string_view name) {
    return section.choice(name, Gone::cancel, {{"cancel", Gone::cancel}, {"drain", Gone::drain}});
}

}  // namespace

TEST_CASE("values of the right kind are read without a problem") {
    const Document document = parsed(R"(
text = "hello"
empty = ""
flag = true
count = -5
rate = 2.5
whole = 3
wait = "1.5s"
none = "0"
share = "99.5%"
size = "32MiB"
bytes = 4096
list = ["a", "b"]
nothing = []
gone = "drain"
key = "env:TOKEN"
plain = "sk-1"
)");
    const Section root = document.root();
    CHECK(root.string("text", "x") == "hello");
    CHECK(root.required_string("text") == "hello");
    CHECK(root.string("empty", "x") == "");
    CHECK(root.boolean("flag", false));
    CHECK(root.integer("count", 0, -5, 5) == -5);
    CHECK(root.number("rate", 0, 0, 10) == 2.5);
    CHECK(root.number("whole", 0, 0, 10) == 3.0);
    CHECK(root.duration("wait", 9s) == 1500ms);
    CHECK(root.duration("none", 9s) == 0s);
    CHECK(root.percent("share", 0) == 9950);
    CHECK(root.size("size", 0) == 32u << 20);
    CHECK(root.size("bytes", 0) == 4096);
    CHECK(root.strings("list") == Lines{"a", "b"});
    CHECK(root.strings("nothing").empty());
    CHECK(gone(root, "gone") == Gone::drain);
    CHECK(root.secret("key") == "s3cret");
    CHECK(root.required_secret("plain") == "sk-1");
    CHECK(document.problems() == Lines{});
}

TEST_CASE("what is absent is its default, also in a section that is absent") {
    const Document document = parsed("[there]\n");
    for (const Section& section :
         {document.root(), document.root().section("there"), document.root().section("nowhere").section("deep")}) {
        CAPTURE(section.title());
        CHECK(section.string("a", "x") == "x");
        CHECK(section.boolean("a", true));
        CHECK(section.integer("a", 7, 0, 1) == 7);  // a default may lie outside: it may mean "not set"
        CHECK(section.number("a", 7.5, 0, 1) == 7.5);
        CHECK(section.duration("a", 9s) == 9s);
        CHECK(section.percent("a", 20) == 20);
        CHECK(section.size("a", 20) == 20);
        CHECK(section.strings("a").empty());
        CHECK(section.string_map("a").empty());
        CHECK(section.secret("a").empty());
        CHECK(section.sections("a").empty());
        CHECK_FALSE(section.section("a").present());
        CHECK(section.keys().empty() == (section.title() != "the top level"));
        CHECK(gone(section, "a") == Gone::cancel);
    }
    CHECK(document.root().section("there").present());
    CHECK(document.problems() == Lines{});
}

TEST_CASE("a value that is wrong says where, what and what would be right, and reads as its default") {
    struct Row {
        const char* text;
        std::function<void(const Section&)> read;
        const char* want;
    };
    const Row rows[] = {
        {"a = 1", [](const Section& s) { CHECK(s.string("a", "d") == "d"); }, "\"a\" must be a text in quotes, got 1"},
        {"a = \"\"", [](const Section& s) { CHECK(s.required_string("a") == ""); }, "\"a\" must not be empty"},
        {"a = true", [](const Section& s) { CHECK(s.required_string("a") == ""); },
         "\"a\" must be a text in quotes, got true"},
        {"a = \"yes\"", [](const Section& s) { CHECK(s.boolean("a", true)); },
         "\"a\" must be true or false, without quotes, got \"yes\""},
        {"a = 11", [](const Section& s) { CHECK(s.integer("a", 3, 1, 10) == 3); },
         "\"a\" must be a whole number from 1 to 10, got 11"},
        {"a = 0", [](const Section& s) { CHECK(s.integer("a", 3, 1, 10) == 3); },
         "\"a\" must be a whole number from 1 to 10, got 0"},
        {"a = 2.5", [](const Section& s) { CHECK(s.integer("a", 3, 1, 10) == 3); },
         "\"a\" must be a whole number from 1 to 10, got 2.5"},
        {"a = nan", [](const Section& s) { CHECK(s.number("a", 3, 0.5, 10) == 3); },
         "\"a\" must be a number from 0.5 to 10, got nan"},
        {"a = \"3\"", [](const Section& s) { CHECK(s.duration("a", 9s) == 9s); },
         "\"a\" must be like \"250ms\", \"30s\" or \"3m\", got \"3\""},
        {"a = 3", [](const Section& s) { CHECK(s.duration("a", 9s) == 9s); },
         "\"a\" must be like \"250ms\", \"30s\" or \"3m\", got 3"},
        {"a = \"10m\"", [](const Section& s) { CHECK(s.duration("a", 9s, 1s, 5min) == 9s); },
         "\"a\" must be from \"1s\" to \"5m\", got \"10m\""},
        {"a = \"1ms\"", [](const Section& s) { CHECK(s.duration("a", 9s, 1s) == 9s); },
         "\"a\" must be at least \"1s\", got \"1ms\""},
        {"a = 0.02", [](const Section& s) { CHECK(s.percent("a", 5) == 5); },
         "\"a\" must be a share like \"2%\" or \"99.5%\", got 0.02"},
        {"a = \"101%\"", [](const Section& s) { CHECK(s.percent("a", 5) == 5); },
         "\"a\" must be a share like \"2%\" or \"99.5%\", got \"101%\""},
        {"a = \"32MB\"", [](const Section& s) { CHECK(s.size("a", 5) == 5); },
         "\"a\" must be a size like 4096, \"64KiB\" or \"32MiB\", got \"32MB\""},
        {"a = -1", [](const Section& s) { CHECK(s.size("a", 5) == 5); },
         "\"a\" must be a size like 4096, \"64KiB\" or \"32MiB\", got -1"},
        {"a = 9", [](const Section& s) { CHECK(s.size("a", 5, 10, 20) == 5); },
         "\"a\" must be from 10 to 20 bytes, got 9"},
        {"a = [\"x\", 1]", [](const Section& s) { CHECK(s.strings("a").empty()); },
         "\"a\" must be a list of texts like [\"a\", \"b\"], got an array"},
        {"a = \"x\"", [](const Section& s) { CHECK(s.strings("a").empty()); },
         "\"a\" must be a list of texts like [\"a\", \"b\"], got \"x\""},
        {"a = { b = 1 }",
         [](const Section& s) {
             CHECK(s.string_map("a") == std::map<std::string, std::string>{{"b", ""}});
         },
         "\"b\" must be a text in quotes, got 1"},
        {"a = \"stop\"", [](const Section& s) { CHECK(gone(s, "a") == Gone::cancel); },
         "\"a\" must be one of \"cancel\", \"drain\", got \"stop\""},
        {"a = 1979-05-27", [](const Section& s) { CHECK(gone(s, "a") == Gone::cancel); },
         "\"a\" must be one of \"cancel\", \"drain\", got a date or time"},
        {"a = 1", [](const Section& s) { CHECK_FALSE(s.section("a").present()); },
         "\"a\" must be one table, as in [a], got 1"},
        {"[[a]]\nb = 1", [](const Section& s) { CHECK_FALSE(s.section("a").present()); },
         "\"a\" must be one table, as in [a], got an array"},
        {"[a]\nb = 1", [](const Section& s) { CHECK(s.sections("a").empty()); },
         "\"a\" must be a list of tables, each with [[a]], got a table"},
        {"a = [{}, 1]", [](const Section& s) { CHECK(s.sections("a").empty()); },
         "\"a\" must be a list of tables, each with [[a]], got an array"},
        {"a = \"env:NONE\"", [](const Section& s) { CHECK(s.secret("a").empty()); },
         "\"a\": environment variable NONE is not set"},
        {"a = \"\"", [](const Section& s) { CHECK(s.secret("a").empty()); }, "\"a\": the secret is empty"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        CAPTURE(row.want);
        const Document document = parsed("\n" + std::string(row.text));
        row.read(document.root());
        row.read(document.root());  // a second reading does not repeat the problem
        const Lines got = document.problems();
        REQUIRE(got.size() == 1);
        CHECK(got.front() == "x.toml:2: " + std::string(row.want));
    }
}

TEST_CASE("a secret never stands in a problem") {
    const Document document = parsed("a = 987654321\n[[b]]\nc = [\"s3cr3t\"]\n");
    (void)document.root().secret("a");
    (void)document.root().sections("b").front().required_secret("c");
    const Lines got = document.problems();
    REQUIRE(got.size() == 2);
    for (const std::string& line : got) {
        CHECK(line.find("98765") == std::string::npos);
        CHECK(line.find("s3cr3t") == std::string::npos);
    }
}

TEST_CASE("what is required names the table that lacks it") {
    const Document document = parsed("x = 1\n\n[[account]]\nname = \"a\"\n[store]\n");
    CHECK(document.root().integer("x", 0, 0, 1) == 1);
    (void)document.root().required_string("listen");
    for (const Section& account : document.root().sections("account")) {
        (void)account.string("name");
        (void)account.required_secret("api_key");
        account.fail("is one too many");
        account.fail("weight", "must be given");
    }
    (void)document.root().section("store").required_string("url");
    (void)document.root().section("admin").required_string("key");
    CHECK(document.problems() ==
          Lines{"x.toml: the top level needs \"listen\"", "x.toml: [admin] needs \"key\"",
                "x.toml:3: [[account]] needs \"api_key\"", "x.toml:3: [[account]] is one too many",
                "x.toml:3: [[account]] \"weight\" must be given", "x.toml:5: [store] needs \"url\""});
}

TEST_CASE("tables with free names keep the order of the file") {
    const Document document = parsed("[map]\nzeta = \"1\"\nalpha = 2\n\"mid dle\" = { x = true }\n");
    const Section map = document.root().section("map");
    CHECK(map.keys() == Lines{"zeta", "alpha", "mid dle"});
    CHECK(map.kind("zeta") == Section::Kind::string);
    CHECK(map.kind("alpha") == Section::Kind::integer);
    CHECK(map.kind("mid dle") == Section::Kind::table);
    CHECK(map.where("alpha") == "x.toml:3");
    CHECK(map.where() == "x.toml:1");
    CHECK(map.where("none") == "x.toml:1");
}

TEST_CASE("numbers keep the whole range of TOML integers") {
    const Document document = parsed("a = 9223372036854775807\nb = -9223372036854775808\n");
    constexpr auto least = std::numeric_limits<std::int64_t>::min(), most = std::numeric_limits<std::int64_t>::max();
    CHECK(document.root().integer("a", 0, least, most) == most);
    CHECK(document.root().integer("b", 0, least, most) == least);
    CHECK(document.root().size("a", 0) == static_cast<std::uint64_t>(most));
}
