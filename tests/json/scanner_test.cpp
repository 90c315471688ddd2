#include "json/scanner.hpp"

#include <array>
#include <string>

#include <doctest/doctest.h>

using namespace oai::json;

namespace {

/// Text with readable bytes behind it, as a receive buffer has them.
struct Body {
    explicit Body(std::string text) : bytes(std::move(text)), size(bytes.size()) {
        bytes.append(Padded::kPadding, '#');
    }
    Padded padded() const { return Padded{std::string_view(bytes).substr(0, size)}; }
    std::string bytes;
    std::size_t size;
};

constexpr std::array<std::string_view, 3> kNames{"model", "stream", "input"};

}  // namespace

TEST_CASE("members are found with their spans, in any order, whatever lies between them") {
    Scanner scanner;
    const Body body(R"( { "x":{"model":"inner"}, "stream" : true , "input":[1,{"a":"]"}],"model":"gpt-5" } )");
    std::array<Member, 3> found;
    REQUIRE(scanner.members(body.padded(), kNames, found));
    CHECK(found[0].raw == "\"gpt-5\"");
    CHECK(*found[0].string() == "gpt-5");
    CHECK(found[1].boolean() == true);
    CHECK(found[2].kind == Kind::array);
    CHECK(found[2].raw == R"([1,{"a":"]"}])");
    // Blanks behind a value are not part of it.
    const Body spaced("{\"model\" : {} \n, \"input\" : [ 1 ]\t , \"stream\" : null }");
    REQUIRE(scanner.members(spaced.padded(), kNames, found));
    CHECK(found[0].raw == "{}");
    CHECK(found[1].raw == "null");
    CHECK(found[2].raw == "[ 1 ]");
}

TEST_CASE("what is no JSON object, or says a key twice, is refused") {
    struct Row {
        const char* name;
        const char* text;
    };
    const Row rows[] = {
        {"empty", ""},
        {"an array", "[1]"},
        {"a scalar", "3"},
        {"cut", R"({"model":"x")"},
        {"cut string", R"({"model":"x)"},
        {"two documents", R"({"model":"x"} {"model":"y"})"},
        {"trailing text", R"({"model":"x"} x)"},
        {"twice", R"({"model":"x","model":"y"})"},
        {"twice, once escaped", R"({"model":"allowed","mod\u0065l":"other"})"},
        {"a broken word", R"({"stream":tru})"},
        {"a broken null", R"({"stream":nul})"},
        {"a null that goes on", R"({"stream":nullx})"},
        {"a broken string", R"({"model":"\q"})"},
        {"not UTF-8", "{\"model\":\"\xff\"}"},
    };
    Scanner scanner;
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const Body body(row.text);
        std::array<Member, 3> found;
        const auto result = scanner.members(body.padded(), kNames, found);
        CHECK_FALSE(result);
    }
    const Body twice(R"({"model":"x","model":"y"})");
    std::array<Member, 3> found;
    CHECK(scanner.members(twice.padded(), kNames, found).error().param == "model");
}

TEST_CASE("an escaped key is the same key, and an escaped value is decoded") {
    Scanner scanner;
    const Body body(R"({"mod\u0065l":"gp\u0074-5"})");
    std::array<Member, 3> found;
    REQUIRE(scanner.members(body.padded(), kNames, found));
    CHECK(*found[0].string() == "gpt-5");
    CHECK(found[0].plain_string().empty());
    CHECK_FALSE(found[1].present());
}

TEST_CASE("a path leads to a nested value, or nowhere") {
    Scanner scanner;
    const std::string event =
        R"({"type":"response.completed","response":{"id":"r","usage":{"input_tokens":12,"output_tokens":3}}})";
    CHECK(scanner.find(scanner.copy(event), {"response", "usage", "output_tokens"}).integer() == 3);
    CHECK(scanner.find(scanner.copy(event), {"response", "usage"}).raw == R"({"input_tokens":12,"output_tokens":3})");
    CHECK_FALSE(scanner.find(scanner.copy(event), {"response", "error"}).present());
    CHECK_FALSE(scanner.find(scanner.copy(event), {"type", "error"}).present());
    CHECK_FALSE(scanner.find(scanner.copy("data"), {"type"}).present());
    CHECK_FALSE(scanner.find(scanner.copy(""), {"type"}).present());
}

TEST_CASE("splices change their spans and nothing else") {
    Scanner scanner;
    const Body body(R"({"a": 1.50,"model" : "x" ,"input":"\u00e9" })");
    std::array<Member, 3> found;
    REQUIRE(scanner.members(body.padded(), kNames, found));
    const std::array<Splice, 1> splices{{{found[0].raw, "\"real\""}}};
    std::string out;
    spliced(body.padded().text, splices, [&](std::string_view piece) { out += piece; });
    CHECK(out == R"({"a": 1.50,"model" : "real" ,"input":"\u00e9" })");
    CHECK(out.size() == spliced_size(body.padded().text, splices));
}

TEST_CASE("a large body does not leave its memory behind, and small ones still work after it") {
    Scanner scanner;
    const Body large("{\"input\":\"" + std::string(3 << 20, 'a') + "\",\"model\":\"m\"}");
    const Body small(R"({"model":"s"})");
    std::array<Member, 3> found;
    REQUIRE(scanner.members(large.padded(), kNames, found));
    CHECK(*found[0].string() == "m");
    REQUIRE(scanner.members(small.padded(), kNames, found));
    CHECK(*found[0].string() == "s");
}
