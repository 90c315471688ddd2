#include "config/document.hpp"

#include <filesystem>
#include <fstream>
#include <stdlib.h>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace oai::config;
using oai::core::Code;
using oai::core::Result;

namespace {

using Lines = std::vector<std::string>;

/// Reads what a small gateway would, and returns the problems.
Lines problems_of(std::string_view text) {
    const Result<Document> document = Document::parse(text, "gw.toml", empty_environment());
    REQUIRE(document);
    const Section root = document->root();
    (void)root.string("listen");
    (void)root.section("limits").integer("ip_rpm", 0, 0, 1000);
    (void)root.section("store").string("url");
    for (const Section& provider : root.sections("provider")) {
        (void)provider.string("name");
        for (const Section& version : provider.sections("version")) {
            (void)version.integer("weight", 0, 0, 100);
            if (version.has("props")) (void)version.section("props").string("base_url");
        }
    }
    (void)root.section("route").string_map("map");
    root.ignore("console");
    return document->problems();
}

}  // namespace

TEST_CASE("syntax errors carry line and column") {
    struct Row {
        const char* name;
        const char* text;
        const char* at;
    };
    const Row rows[] = {
        {"value missing", "a = 1\nb = \n", "x.toml:2:"},        {"text without end", "a = \"x\n", "x.toml:1:"},
        {"key twice", "a = 1\n\na = 2\n", "x.toml:3:"},         {"table twice", "[a]\nb = 1\n[a]\n", "x.toml:3:"},
        {"a duration without quotes", "a = 3m\n", "x.toml:1:"}, {"not UTF-8", "a = \"\xff\"\n", "x.toml:1:"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const Result<Document> document = Document::parse(row.text, "x.toml");
        REQUIRE_FALSE(document);
        CHECK(document.error().code == Code::parse_failed);
        CAPTURE(document.error().detail);
        CHECK(document.error().detail.find(row.at) == 0);
    }
}

TEST_CASE("a key that nobody reads is an unknown key, with what it may have been meant to be") {
    struct Row {
        const char* name;
        const char* text;
        Lines want;
    };
    const Row rows[] = {
        {"an empty file has no problem", "", {}},
        {"everything known",
         "listen = \"a\"\n[limits]\nip_rpm = 5\n[[provider]]\nname = \"p\"\n[[provider.version]]\nweight = 1\nprops = "
         "{ base_url = "
         "\"u\" }\n[route.map]\nx = \"y\"\n",
         {}},
        {"typing error at the top",
         "\n\nlissten = \"a\"\n",
         {"gw.toml:3: unknown key \"lissten\" at the top level; did you mean \"listen\"?"}},
        {"in a table",
         "[limits]\n\nip_rmp = 5\n",
         {"gw.toml:3: unknown key \"ip_rmp\" in [limits]; did you mean \"ip_rpm\"?"}},
        {"in one of several",
         "[[provider]]\nname = \"a\"\n[[provider]]\nnome = \"b\"\n",
         {"gw.toml:4: unknown key \"nome\" in [[provider]]; did you mean \"name\"?"}},
        {"what one element was asked for is known of its siblings",
         "[[provider]]\n[[provider.version]]\nprops = {}\n[[provider.version]]\nwieght = 2\n",
         {"gw.toml:5: unknown key \"wieght\" in [[provider.version]]; did you mean \"weight\"?"}},
        {"an inline table",
         "[[provider]]\nversion = [\n  { weight = 1, props = { base_uri = \"u\" } },\n]\n",
         {"gw.toml:3: unknown key \"base_uri\" in [provider.version.props]; did you mean \"base_url\"?"}},
        {"a table is told once, not key by key",
         "[limit]\nip_rpm = 5\nx = 1\n",
         {"gw.toml:1: unknown key \"limit\" at the top level; did you mean \"limits\"?"}},
        {"nothing near: what there is",
         "[limits]\nburst = 5\n",
         {"gw.toml:2: unknown key \"burst\" in [limits]; known are ip_rpm"}},
        {"short names are not near everything",
         "[store]\nk = 5\n",
         {"gw.toml:2: unknown key \"k\" in [store]; known are url"}},
        {"several, in the order of the file",
         "zz = 1\n[limits]\nip_rpm = \"5\"\nyy = 2\n",
         {"gw.toml:1: unknown key \"zz\" at the top level; known are console, limits, listen, provider, route, store",
          "gw.toml:3: \"ip_rpm\" must be a whole number from 0 to 1000, got \"5\"",
          "gw.toml:4: unknown key \"yy\" in [limits]; known are ip_rpm"}},
        {"a key with control characters",
         "\"a\\nb\" = 1\n",
         {"gw.toml:1: unknown key \"a?b\" at the top level; known are console, limits, listen, provider, route, "
          "store"}},
        {"what another reader owns", "[console]\nx = 1\n[[console.y]]\nz = 2\n", {}},
        {"dotted keys",
         "limits.ip_rpm = 5\nlimits.ip_rpx = 5\n",
         {"gw.toml:2: unknown key \"ip_rpx\" in [limits]; did you mean \"ip_rpm\"?"}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const Lines got = problems_of(row.text);
        CHECK(got == row.want);
        if (got != row.want)
            for (const std::string& line : got) MESSAGE(line);
    }
}

TEST_CASE("asking whether a key is there is not reading it") {
    const Result<Document> document = Document::parse("a = 1\nb = 2\n", "x.toml");
    REQUIRE(document);
    CHECK(document->root().has("a"));
    CHECK(document->root().kind("b") == Section::Kind::integer);
    CHECK_FALSE(document->root().has("c"));
    CHECK(document->problems().size() == 2);
}

TEST_CASE("finish is one error with every problem on its line, and good when there is none") {
    const Result<Document> document = Document::parse("a = 1\nb = true\n", "x.toml");
    REQUIRE(document);
    (void)document->root().string("a");
    (void)document->root().boolean("b", false);
    document->root().fail("b", "is not for a Sunday");
    document->root().fail("c", "is wanted");
    const Result<void> finished = document->finish();
    REQUIRE_FALSE(finished);
    CHECK(finished.error().code == Code::parse_failed);
    CHECK(finished.error().detail ==
          "x.toml: \"c\" is wanted\nx.toml:1: \"a\" must be a text in quotes, got 1\nx.toml:2: \"b\" is not for a "
          "Sunday");
    const Result<Document> empty = Document::parse("", "x.toml");
    REQUIRE(empty);
    CHECK(empty->finish());
}

TEST_CASE("a file is read by its name, and one that is not there is named") {
    std::string folder = (std::filesystem::temp_directory_path() / "oai-config-XXXXXX").string();
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    const std::string path = folder + "/gw.toml";
    std::ofstream(path) << "listen = 5\n";
    const Result<Document> document = Document::load(path);
    REQUIRE(document);
    CHECK(document->name() == path);
    CHECK(document->root().where("listen") == path + ":1");
    const Result<Document> missing = Document::load(folder + "/none.toml");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == Code::io_failed);
    CHECK(missing.error().detail == folder + "/none.toml: cannot be read: No such file or directory");
    const Result<Document> directory = Document::load(folder);
    REQUIRE_FALSE(directory);
    CHECK(directory.error().detail == folder + ": cannot be read: Is a directory");
    CHECK(Document::load("/dev/zero").error().detail == "/dev/zero: is larger than 16 MiB: not a configuration");
    std::filesystem::remove_all(folder);
}

TEST_CASE("a section outlives the document it came from") {
    const Section limits = [] {
        const Result<Document> document = Document::parse("[limits]\nip_rpm = 7\n", "x.toml");
        REQUIRE(document);
        return document->root().section("limits");
    }();
    CHECK(limits.integer("ip_rpm", 0, 0, 10) == 7);
}
