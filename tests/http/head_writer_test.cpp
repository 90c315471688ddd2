#include "http/head_writer.hpp"

#include <cstdint>
#include <string>

#include <doctest/doctest.h>

using namespace oai::http;

TEST_CASE("parts are appended in their order, numbers among them") {
    std::string out = "head";
    append(out, " ", Decimal(0), "", ": ", std::string("text"), Decimal(UINT64_MAX), "\r\n");
    CHECK(out == "head 0: text18446744073709551615\r\n");
    append(out, std::string_view{});
    CHECK(out == "head 0: text18446744073709551615\r\n");
}

TEST_CASE("a run of lines copies what was added as it came, and leaves out the rest") {
    const std::string head = "GET / HTTP/1.0\r\na:1\r\nB:  2 \r\nc: 3\r\nd: 4\r\ne:5\r\n\r\n";
    HeadReader reader;
    RequestHead request;
    REQUIRE(reader.read_request(head, request) == HeadStatus::complete);
    const struct {
        std::string_view name, kept, want;
    } rows[] = {
        {"none", "", ""},
        {"all", "aBcde", "a:1\r\nB:  2 \r\nc: 3\r\nd: 4\r\ne:5\r\n"},
        {"the first", "a", "a:1\r\n"},
        {"the last", "e", "e:5\r\n"},
        {"two runs", "aBde", "a:1\r\nB:  2 \r\nd: 4\r\ne:5\r\n"},
        {"lines that are no neighbours", "ace", "a:1\r\nc: 3\r\ne:5\r\n"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        std::string out = "x";
        LineRun run(out);
        for (const Field& field : request.fields) {
            if (row.kept.find(field.name) != std::string_view::npos) run.add(field);
        }
        run.end();
        CHECK(out == "x" + std::string(row.want));
        run.add(request.fields[0]);
        run.end();
        CHECK(out == "x" + std::string(row.want) + "a:1\r\n");
    }
}
