#include "json/value.hpp"

#include <doctest/doctest.h>

using oai::json::Value;

TEST_CASE("a document is read whole, with its types") {
    const auto parsed = Value::parse(R"({"sla":0.998,"n":12,"none":null,"ttft":{"p99_ms":780},"list":[1,"a",true]})");
    REQUIRE(parsed);
    CHECK(parsed->find("sla")->as_double() == 0.998);
    CHECK(parsed->find("n")->as_int() == 12);
    CHECK_FALSE(parsed->find("sla")->as_int());
    CHECK(parsed->find("none")->is_null());
    CHECK(parsed->find_path("ttft.p99_ms")->as_int() == 780);
    CHECK(parsed->find_path("ttft.p50_ms") == nullptr);
    CHECK(parsed->find_path("n.p50_ms") == nullptr);
    CHECK(parsed->find("list")->items().size() == 3);
    CHECK(parsed->members()[1].first == "n");
}

TEST_CASE("what is not JSON is an error, not a guess") {
    for (const char* text : {"", "<html></html>", "{\"a\":}", "{\"a\":1} x", "[1,]", "{'a':1}"}) {
        CAPTURE(text);
        CHECK_FALSE(Value::parse(text));
    }
}
