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
        {"GET", "/v1/responses", "responses_websocket", false, ""},
        {"PUT", "/v1/responses", "", true, ""},
        {"POST", "/v1/messages", "messages", false, ""},
        {"POST", "/v1/messages/count_tokens", "count_tokens", false, ""},
        {"POST", "/v1/responses/compact", "responses_compact", false, ""},
        {"GET", "/v1/responses/resp_1", "response", false, "resp_1"},
        {"POST", "/v1/responses/resp_1/cancel", "response", false, "resp_1"},
        {"GET", "/v1/responses/resp_1/input_items", "response", false, "resp_1"},
        {"GET", "/v1/files", "files", false, ""},
        {"POST", "/v1/files", "files", false, ""},
        {"GET", "/v1/files/file-1/content", "file", false, "file-1"},
        {"GET", "/v1/files//content", "", false, ""},
        {"GET", "/v1/files/file-1/", "", false, ""},
        {"POST", "/v1/threads/thread_1/runs/run_1/cancel", "thread", false, "thread_1"},
        {"POST", "/v1/audio/speech", "audio_speech", false, ""},
        {"GET", "/v1/anything", "", false, ""},
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
        CHECK((match.known && match.endpoint == nullptr) == row.other_method);
        CHECK(match.id == row.id);
    }
}

TEST_CASE("what clients write instead of /v1 leads to the same paths") {
    struct Row {
        const char* path;
        const char* rest;
        const char* deployment;
    };
    const Row rows[] = {
        {"/v1/responses", "/responses", ""},
        {"/v1/openai/responses", "/responses", ""},
        {"/v1/openai/v1/responses", "/responses", ""},
        {"/openai/v1/chat/completions", "/chat/completions", ""},
        {"/openai/files", "/files", ""},
        {"/v1/anthropic/v1/messages", "/messages", ""},
        {"/v1/anthropic/messages", "/messages", ""},
        {"/responses", "/responses", ""},
        {"/responses/resp_1", "/responses/resp_1", ""},
        {"/responsesx", "", ""},
        {"/openai/deployments/my-gpt/chat/completions", "/chat/completions", "my-gpt"},
        {"/openai/deployments//chat/completions", "", ""},
        {"/openai/deployments/my-gpt", "", ""},
        {"/v2/responses", "", ""},
        {"/", "", ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.path);
        const PathAlias alias = read_alias(row.path);
        CHECK(alias.rest == row.rest);
        CHECK(alias.deployment == row.deployment);
    }
}

TEST_CASE("the table is sound: names and paths are those of the API, rules fit their room") {
    for (const Endpoint& endpoint : endpoints()) {
        CAPTURE(endpoint.path);
        CHECK(endpoint.path.starts_with("/v1/"));
        CHECK(endpoint.fields.size() <= kMostFields);
        CHECK((endpoint.body == BodyTreatment::json) == !endpoint.fields.empty());
        CHECK(endpoint_named(endpoint.name) != nullptr);
    }
    CHECK(endpoint_named("nothing") == nullptr);
    // What is made is known by the id in its answer: the answer has to be read.
    for (const Endpoint& endpoint : endpoints())
        if (endpoint.resource == Resource::made) CHECK(endpoint.json_answer);
}

TEST_CASE("a path's methods are listed for whoever used another") {
    CHECK(allowed_methods("/v1/files") == "POST, GET, HEAD");
    CHECK(allowed_methods("/v1/responses") == "POST, GET, HEAD");
    CHECK(allowed_methods("/v1/messages") == "POST");
    CHECK(allowed_methods("/v1/files/file-1") == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    CHECK(allowed_methods("/v1/nothing") == "");
}
