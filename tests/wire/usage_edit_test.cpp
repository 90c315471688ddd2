#include "wire/usage_edit.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace oai;
using namespace oai::wire;

TEST_CASE("only the chunk without choices that holds a usage is the usage chunk") {
    struct Row {
        const char* data;
        bool want;
    };
    const Row rows[] = {
        {R"({"id":"c","choices":[],"usage":{"prompt_tokens":1}})", true},
        {R"({"usage":{"prompt_tokens":1}, "choices" : [ ] })", true},
        {R"({"choices":[{"delta":{}}],"usage":null})", false},
        {R"({"choices":[]})", false},
        {R"({"choices":[{"delta":{"content":"\"choices\":[] \"usage\""}}]})", false},
        {"[DONE]", false},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.data));
        CHECK(is_usage_chunk(row.data) == row.want);
    }
}

TEST_CASE("the usage chunk goes, and every other byte stays") {
    const std::string text = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":null}\r\n\r\n";
    const std::string usage = "event: x\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\n";
    const std::string comment = ": keep-alive\n\n", done = "data: [DONE]\n\n";
    CHECK(drop_usage_chunk(text + comment + usage + done) == text + comment + done);
    CHECK(drop_usage_chunk(usage) == "");
    CHECK(drop_usage_chunk(text + done) == text + done);
    CHECK(may_hold_usage_chunk(text + usage));
    CHECK_FALSE(may_hold_usage_chunk(text + done));
}
