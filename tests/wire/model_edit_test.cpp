#include "wire/model_edit.hpp"

#include <doctest/doctest.h>

using namespace oai;
using namespace oai::wire;

TEST_CASE("the client's name comes back in the events that name the model, and nowhere else") {
    json::Scanner scanner;
    const std::string events =
        "event: response.created\ndata: "
        "{\"type\":\"response.created\",\"response\":{\"id\":\"r\",\"model\":\"real\",\"metadata\":{\"model\":\"real\"}"
        "}}\n\n"
        ": \"real\"\n\n"
        "data: {\"type\":\"response.output_text.delta\",\"delta\":\"say \\\"model\\\":\\\"real\\\"\"}\n\n"
        "data: {\"model\": \"real\" ,\"choices\":[{\"delta\":{\"content\":\"\\\"real\\\"\"}}]}\r\n\r\n"
        "data: {\"model\":\"real-2\"}\n\n"
        "data: not json \"real\"\n\n";
    const std::string want =
        "event: response.created\ndata: "
        "{\"type\":\"response.created\",\"response\":{\"id\":\"r\",\"model\":\"alias\",\"metadata\":{\"model\":"
        "\"real\"}}}\n\n"
        ": \"real\"\n\n"
        "data: {\"type\":\"response.output_text.delta\",\"delta\":\"say \\\"model\\\":\\\"real\\\"\"}\n\n"
        "data: {\"model\": \"alias\" ,\"choices\":[{\"delta\":{\"content\":\"\\\"real\\\"\"}}]}\r\n\r\n"
        "data: {\"model\":\"real-2\"}\n\n"
        "data: not json \"real\"\n\n";
    CHECK(map_model_back(events, "real", quoted_model("alias"), scanner) == want);
    CHECK(map_model_back(events, "other", quoted_model("alias"), scanner) == events);
}

TEST_CASE("a name is quoted as JSON") {
    CHECK(quoted_model("a\"b") == "\"a\\\"b\"");
    CHECK_FALSE(may_name_model("{\"model\":\"x\"}", quoted_model("real")));
}
