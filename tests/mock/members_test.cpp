#include "mock/members.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace oai::mock;

TEST_CASE("members are given back byte for byte, in their order") {
    struct Row {
        const char* text;
        const char* want;
    };
    const Row rows[] = {
        {"", "{}"},
        {"{}", "{}"},
        {" { } ", "{}"},
        {R"({"b":1.50,"a":[1, 2,{"x":"}"}],"c":"a\"b,c"})", R"({"b":1.50,"a":[1, 2,{"x":"}"}],"c":"a\"b,c"})"},
        {R"({ "a" : { "b" : [ ] } , "c" : null })", R"({"a":{ "b" : [ ] },"c":null})"},
        {R"({"\u0061":"\u0062"})", R"({"a":"\u0062"})"},
        {R"({"a\":b":1})", R"({"a\":b":1})"},
        {R"({"a":1,"a":2})", R"({"a":2})"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.text));
        const auto members = Members::parse(row.text);
        REQUIRE(members);
        std::string out;
        members->append_to(out);
        CHECK(out == row.want);
    }
    for (const char* text : {"[]", "1", "{", R"({"a":})", "x"}) {
        CAPTURE(std::string(text));
        CHECK_FALSE(Members::parse(text));
    }
}

TEST_CASE("members are set, found and read as text") {
    Members members = *Members::parse(R"({"a":"\u0062c","n":3})");
    CHECK(members.text("a") == "bc");
    CHECK(members.text("n").empty());
    CHECK(members.text("absent").empty());
    CHECK(members.find("absent") == nullptr);
    members.set("a", "[1]");
    members.set_text("new", "q\"");
    std::string out;
    members.append_to(out);
    CHECK(out == R"({"a":[1],"n":3,"new":"q\""})");
}

TEST_CASE("elements of an array are split at its own commas") {
    CHECK(array_elements("[]").empty());
    CHECK(array_elements(R"("no array")").empty());
    const auto elements = array_elements(R"([ "a,b" ,[1,2],{"x":"]"}, 3 ])");
    REQUIRE(elements.size() == 4);
    CHECK(elements[0] == R"("a,b")");
    CHECK(elements[1] == "[1,2]");
    CHECK(elements[2] == R"({"x":"]"})");
    CHECK(elements[3] == "3");
}
