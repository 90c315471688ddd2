#include "json/writer.hpp"

#include <doctest/doctest.h>

#include "json/value.hpp"

using oai::json::Value;
using oai::json::Writer;

TEST_CASE("the writer keeps the order it is told and writes integers") {
    Writer w;
    w.begin_object().member("b", 1).member("a", std::uint64_t{18446744073709551615ULL}).key("list").begin_array();
    w.value("x")
        .value(nullptr)
        .value(true)
        .value(std::optional<int>{})
        .end_array()
        .key("empty")
        .begin_object()
        .end_object();
    w.end_object();
    CHECK(w.text() == R"({"b":1,"a":18446744073709551615,"list":["x",null,true,null],"empty":{}})");
}

TEST_CASE("decimals are built from integers") {
    Writer w;
    w.begin_array().decimal(9950, 4).decimal(5, 3).decimal(-1500, 3).decimal(7, 0).end_array();
    CHECK(w.text() == "[0.9950,0.005,-1.500,7]");
}

TEST_CASE("every string comes out as valid JSON, also when it is not UTF-8") {
    for (const std::string_view text :
         {std::string_view("quote \" slash \\ tab \t nul \0 del \x7f", 33), std::string_view("\xC0\xAF overlong"),
          std::string_view("\xED\xA0\x80 surrogate"), std::string_view("cut \xE4\xB8"), std::string_view("灰度 ok")}) {
        Writer w;
        w.begin_array().value(text).end_array();
        CAPTURE(w.text());
        CHECK(Value::parse(w.text()));
    }
    Writer w;
    w.value("灰度");
    CHECK(w.text() == "\"灰度\"");
}

TEST_CASE("raw JSON in a pretty document is laid out like the rest and keeps its tokens") {
    Writer w(Writer::Layout::pretty);
    w.begin_object().key("block").raw(R"({"a":[1,{}],"s":"x , \" : y"})").member("z", 2).end_object();
    CHECK(w.text() ==
          "{\n  \"block\": {\n    \"a\": [\n      1,\n      {}\n    ],\n    \"s\": \"x , \\\" : y\"\n  },\n  \"z\": "
          "2\n}");
}
