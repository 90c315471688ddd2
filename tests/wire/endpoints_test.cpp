#include "wire/endpoints.hpp"

#include <doctest/doctest.h>

using namespace oai::wire;

TEST_CASE("paths and methods lead to one endpoint, or to none") {
    struct Row {
        const char* method;
        const char* path;
        const char* name;  // empty: no endpoint
        bool other_method;
        const char* id;
    };
    const Row rows[] = {
        {"POST", "/v1/responses", "responses", false, ""},
        {"POST", "/v1/chat/completions", "chat", false, ""},
        {"GET", "/v1/models", "models", false, ""},
        {"GET", "/v1/models/gpt-5", "model", false, "gpt-5"},
        {"GET", "/v1/models/org/model", "model", false, "org/model"},
        {"GET", "/v1/responses", "", true, ""},
        {"post", "/v1/responses", "", true, ""},
        {"POST", "/v1/models", "", true, ""},
        {"POST", "/v1/responses/", "", false, ""},
        {"GET", "/v1/models/", "", false, ""},
        {"POST", "/", "", false, ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.method);
        CAPTURE(row.path);
        const EndpointMatch match = match_endpoint(row.method, row.path);
        CHECK((match.endpoint ? match.endpoint->name : "") == row.name);
        CHECK(!match.allow.empty() == row.other_method);
        CHECK(match.id == row.id);
    }
}
