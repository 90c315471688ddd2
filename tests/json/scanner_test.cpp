#include "json/scanner.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <doctest/doctest.h>

#include "json/value.hpp"

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
        {"no colon", R"({"model" "x"})"},
        {"no comma", R"({"model":"x" "stream":true})"},
        {"no value", R"({"model":})"},
        {"no value before a comma", R"({"x":,"model":"x"})"},
        {"a comma too many", R"({"model":"x",})"},
        {"a key that is none", R"({model:"x"})"},
        {"a bracket of the other kind", R"({"input":[1,2},"model":"x"})"},
        {"the other kind around what nobody asked for", R"({"x":{"y":1],"model":"x"})"},
        {"closed once too often", R"({"model":"x"}})"},
        {"a number with a zero before it", R"({"input":01})"},
        {"a number without digits", R"({"input":-})"},
        {"a number that ends with its point", R"({"input":1.})"},
        {"an exponent without digits", R"({"input":1e+})"},
        {"text behind a number", R"({"input":1"x"})"},
        {"a word that is no value", R"({"input":x})"},
        {"an escaped key that is broken", R"({"mod\u00zz":"x"})"},
    };
    Scanner scanner;
    for (const Row& row : rows) {
        CAPTURE(std::string(row.name));
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

TEST_CASE("an object inside the text gives its members by the same rules") {
    Scanner scanner;
    constexpr std::array<std::string_view, 2> outer{"usage", "choices"}, inner{"input_tokens", "output_tokens"};
    std::array<Member, 2> top, found;
    const Body body(R"({"choices":[ {"output_tokens":1} ,2],"usage":{"x":{"input_tokens":7},"input\u005ftokens":3 }})");
    REQUIRE(scanner.members(body.padded(), outer, top));
    REQUIRE(scanner.members(top[0], inner, found));
    CHECK(found[0].raw == "3");
    CHECK_FALSE(found[1].present());
    const Member first = scanner.first_element(top[1]);
    CHECK(first.raw == R"({"output_tokens":1})");
    REQUIRE(scanner.members(first, inner, found));
    CHECK(found[1].integer() == 1);
    // An array has no members, an object no elements, and what is not in the text has neither.
    CHECK_FALSE(scanner.members(top[1], inner, found));
    CHECK_FALSE(found[1].present());
    CHECK_FALSE(scanner.first_element(top[0]).present());
    CHECK_FALSE(scanner.members(Member{Kind::object, "{}"}, inner, found));
    CHECK_FALSE(scanner.first_element(Member{Kind::array, "[1]"}).present());

    struct Row {
        const char* name;
        const char* text;
        bool read;
    };
    const Row rows[] = {
        {"empty", R"({"usage":{}})", true},
        {"twice", R"({"usage":{"input_tokens":1,"input_tokens":2}})", false},
        {"twice, but deeper", R"({"usage":{"input_tokens":1,"x":{"input_tokens":2}}})", true},
        {"a broken value", R"({"usage":{"input_tokens":1x}})", false},
        {"no comma", R"({"usage":{"input_tokens":1 "x":2}})", false},
        {"brackets that cross", R"({"usage":{"x":[{]}}})", false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const Body text(row.text);
        REQUIRE(scanner.members(text.padded(), outer, top));
        CHECK(scanner.members(top[0], inner, found).has_value() == row.read);
    }
    // A text that cannot be read leaves nothing of the one before it to be found.
    const Body broken("{\"usage\":\"\xff\"}");
    CHECK_FALSE(scanner.members(broken.padded(), outer, found));
    CHECK_FALSE(scanner.members(top[0], inner, found));
}

TEST_CASE("the first element of an array is found when there is one") {
    struct Row {
        const char* array;
        const char* first;
    };
    const Row rows[] = {{"[]", ""},         {"[ ]", ""},       {"[1]", "1"},  {"[ \"a\\n\" ]", "\"a\\n\""},
                        {"[[1],2]", "[1]"}, {"[{},[]]", "{}"}, {"[nul]", ""}, {"[,1]", ""}};
    Scanner scanner;
    constexpr std::array<std::string_view, 1> names{"a"};
    for (const Row& row : rows) {
        CAPTURE(row.array);
        const Body body("{\"a\":" + std::string(row.array) + "}");
        std::array<Member, 1> found;
        REQUIRE(scanner.members(body.padded(), names, found));
        CHECK(scanner.first_element(found[0]).raw == row.first);
    }
}

namespace {

/// Values of all kinds with blanks and escapes among them; the same text for the same seed.
class RandomText {
public:
    explicit RandomText(std::uint32_t seed) : state_(seed) {}
    std::string object(int depth) {
        std::string text = "{";
        // "model" and its kin once each at most: a text that says one twice is refused.
        std::size_t name = below(3);
        for (std::size_t n = below(7); n > 0; --n) {
            if (text.size() > 1) text += ',';
            const bool known = name < kKeys.size() && below(2) == 0;
            text += blank() + (known ? std::string(kKeys[name++]) : "\"k" + std::to_string(text.size()) + "\\n\"");
            text += blank() + ":" + blank() + value(depth - 1) + blank();
        }
        return text + blank() + "}";
    }

private:
    static constexpr std::array<std::string_view, 3> kKeys{R"("model")", R"("str\u0065am")", R"("input")"};

    std::size_t below(std::size_t bound) {
        state_ = state_ * 1'664'525 + 1'013'904'223;
        return (state_ >> 8) % bound;
    }
    std::string blank() {
        constexpr std::array<const char*, 6> blanks{"", "", "", " ", "\n\t", "   "};
        return blanks[below(blanks.size())];
    }
    std::string value(int depth) {
        constexpr std::array<const char*, 10> scalars{
            "true", "false", "null", "0", "-12", "3.5", "\"\"", "\"a b\\\\\"", "1e3", "\"{[\\\"]:,\\u00e9\xc3\xa9\""};
        const std::size_t kind = below(depth > 0 ? 4 : 2);
        if (kind < 2) return scalars[below(scalars.size())];
        if (kind == 2) return object(depth);
        std::string text = "[";
        for (std::size_t n = below(4); n > 0; --n) text += blank() + value(depth - 1) + (n > 1 ? "," : "");
        return text + blank() + "]";
    }

    std::uint32_t state_;
};

bool same(const Value& a, const Value& b) {
    return a.type() == b.type() && a.as_bool() == b.as_bool() && a.as_double() == b.as_double() &&
           a.as_string() == b.as_string() && std::ranges::equal(a.items(), b.items(), same) &&
           std::ranges::equal(a.members(), b.members(), [](const auto& one, const auto& other) {
               return one.first == other.first && same(one.second, other.second);
           });
}

/// What a full reader makes of the same text.
void check_against_value(std::string_view text, const std::array<Member, 3>& found) {
    const oai::core::Result<Value> whole = Value::parse(text);
    REQUIRE(whole);
    for (std::size_t i = 0; i < found.size(); ++i) {
        const Value* want = whole->find(kNames[i]);
        REQUIRE(found[i].present() == (want != nullptr));
        if (want == nullptr) continue;
        const oai::core::Result<Value> got = Value::parse(found[i].raw);
        REQUIRE(got);
        CHECK(same(*got, *want));
    }
}

}  // namespace

TEST_CASE("members are those that a full reader finds, in texts of every shape") {
    Scanner scanner;
    for (std::uint32_t seed = 1; seed <= 2000; ++seed) {
        CAPTURE(seed);
        const Body body(RandomText(seed).object(4));
        std::array<Member, 3> found;
        REQUIRE(scanner.members(body.padded(), kNames, found));
        check_against_value(body.padded().text, found);
    }
}

TEST_CASE("broken text is refused or read within its bounds, wherever it breaks") {
    Scanner scanner;
    constexpr std::string_view flips = "{}[],:\"\\1 ";
    const auto look = [&](const std::string& text) {
        const Body body(text);
        std::array<Member, 3> found, inner;
        if (!scanner.members(body.padded(), kNames, found)) return false;
        for (const Member& member : found) {
            if (!member.present()) continue;
            const std::string_view whole = body.padded().text;
            CHECK(member.raw.data() >= whole.data());
            CHECK(member.raw.data() + member.raw.size() <= whole.data() + whole.size());
            if (member.kind == Kind::object) static_cast<void>(scanner.members(member, kNames, inner));
            if (member.kind == Kind::array) static_cast<void>(scanner.first_element(member));
        }
        return true;
    };
    for (std::uint32_t seed = 1; seed <= 40; ++seed) {
        const std::string text = RandomText(seed).object(3);
        for (std::size_t at = 0; at < text.size(); ++at) {
            CAPTURE(seed);
            CAPTURE(at);
            // The last byte is the bracket that closes the object.
            CHECK_FALSE(look(text.substr(0, at)));
            for (const char flip : flips) {
                std::string flipped = text;
                flipped[at] = flip;
                static_cast<void>(look(flipped));
            }
        }
    }
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

TEST_CASE("a string is known by its text, however it is escaped") {
    struct Row {
        const char* name;
        std::string_view value;
        std::string_view text;
        bool is;
    };
    const Row rows[] = {
        {"as it stands", R"("gpt-5")", "gpt-5", true},
        {"another", R"("gpt-4")", "gpt-5", false},
        {"longer", R"("gpt-55")", "gpt-5", false},
        {"shorter", R"("gpt-")", "gpt-5", false},
        {"escaped", R"("gpt\u002d5")", "gpt-5", true},
        {"escaped, and another", R"("gpt\u002d4")", "gpt-5", false},
        {"its escapes are not its text", R"("a\\b")", R"(a\\b)", false},
        {"empty", R"("")", "", true},
        {"no string", "5", "5", false},
    };
    Scanner scanner;
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const std::string text = R"({"model":)" + std::string(row.value) + "}";
        CHECK(scanner.find(scanner.copy(text), {"model"}).is_text(row.text) == row.is);
    }
}
