#include "json/edit.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

using namespace oai::json;

TEST_CASE("an array is taken apart, and nothing else is") {
    struct Row {
        const char* array;
        std::vector<std::string_view> want;
    };
    const Row rows[] = {
        {"[]", {}},
        {"[ ]", {}},
        {"[1]", {"1"}},
        {R"([ 1 , "a,]" ,{"b":[1,2]}, [ [3] ], null ])", {"1", R"("a,]")", R"({"b":[1,2]})", "[ [3] ]", "null"}},
        {R"(["\\","\",[\""])", {R"("\\")", R"("\",[\"")"}},
        {R"([{"a":"}"},{"a":"]"}])", {R"({"a":"}"})", R"({"a":"]"})"}},
        {R"({"a":1})", {}},
        {"[1", {}},
        {R"(["a)", {}},
        {R"(["\)", {}},
        {"", {}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.array);
        CHECK(elements(row.array) == row.want);
    }
}

TEST_CASE("a member goes with its name and one comma, wherever it stands") {
    struct Row {
        const char* body;
        const char* want;
    };
    const Row rows[] = {
        {R"({"type":"x"})", R"({})"},
        {R"({"type":"x","a":1})", R"({"a":1})"},
        {R"({"a":1,"type":"x"})", R"({"a":1})"},
        {R"({"a":1, "type" : "x" , "b":2})", R"({"a":1,  "b":2})"},
        {R"({"a":"\"type\":1","type":{"b":[1,2]}})", R"({"a":"\"type\":1"})"},
        {R"({"ty\u0070e":"a:b","a":1})", R"({"a":1})"},
    };
    Scanner scanner;
    for (const Row& row : rows) {
        CAPTURE(row.body);
        const Padded body = scanner.copy(row.body);
        const std::array<std::string_view, 1> names{"type"};
        std::array<Member, 1> found;
        REQUIRE(scanner.members(body, names, found));
        const std::array<Splice, 1> cut{{{whole_member(body.text, found[0]), {}}}};
        std::string out;
        spliced(body.text, cut, [&](std::string_view piece) { out += piece; });
        CHECK(out == row.want);
    }
}

TEST_CASE("what is put in comes first") {
    const std::string body = R"( {"a":1})";
    const std::array<Splice, 1> put{{{first_place(body), R"("b":2,)"}}};
    std::string out;
    spliced(body, put, [&](std::string_view piece) { out += piece; });
    CHECK(out == R"( {"b":2,"a":1})");
}
