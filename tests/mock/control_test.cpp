// What a test may ask of the mock while it runs.
#include <string>

#include <doctest/doctest.h>

#include "client.hpp"
#include "crypto/hash.hpp"

using namespace oai;
using namespace oai::mock;
using namespace oai::mock::test;

namespace {

http::ClientResponse send(const Server& server, std::string method, std::string target, std::string body = {},
                          http::HeaderList headers = {}) {
    http::ClientRequest request = post(server, std::move(target), std::move(body), std::move(headers));
    request.method = std::move(method);
    const auto response = http::fetch_blocking(request);
    REQUIRE(response);
    return *response;
}

std::unique_ptr<Server> with_control() {
    ServerOptions options;
    options.control = true;
    options.control_body_bytes = 8;
    return start(options);
}

const std::string kBody = R"({"model":"m","input":"hi"})";

}  // namespace

TEST_CASE("without control there is no such path") {
    auto server = start({});
    CHECK(send(*server, "GET", "/mock/requests").status == 404);
    CHECK(send(*server, "PUT", "/mock/faults", "{}").status == 404);
    CHECK(server->received().empty());
}

TEST_CASE("faults are put, told and taken back") {
    auto server = with_control();
    const auto status = [&](const char* key) {
        return send(*server, "POST", "/v1/responses", kBody, {{"x-api-key", key}}).status;
    };
    const std::string faults =
        R"({"rates":{"error-529":"100%"},"for_key":{"sk-bad":"error-401"},"at":{"1h-2h":"hang"}})";
    const json::Value told = parse(send(*server, "PUT", "/mock/faults", faults).body);
    CHECK(told.find("rates")->find("error-529")->as_string() == "100%");
    CHECK(told.find("for_key")->find("sk-bad")->as_string() == "error-401");
    CHECK(told.find("at")->members().size() == 1);
    CHECK(told.find("at")->members()[0].second.as_string() == "hang");
    CHECK(status("sk-bad") == 401);
    CHECK(status("sk-good") == 529);

    CHECK(send(*server, "PUT", "/mock/faults", R"({"at":{"0s-1h":"error-503"}})").status == 200);
    CHECK(status("sk-bad") == 503);
    for (const char* wrong :
         {"[]", "x", R"({"rates":{"boom":"5%"}})", R"({"rates":{"hang":"5"}})", R"({"at":{"1s":"hang"}})",
          R"({"for_key":{"k":"boom"}})", R"({"other":{"a":"b"}})", R"({"rates":{"hang":"60%","cut":"50%"}})"}) {
        CAPTURE(std::string(wrong));
        CHECK(send(*server, "PUT", "/mock/faults", wrong).status == 400);
        CHECK(status("sk-bad") == 503);  // nothing of it holds
    }
    CHECK(send(*server, "PUT", "/mock/faults", "{}").status == 200);
    CHECK(status("sk-bad") == 200);
    FaultRates rates;
    rates.error_bp = 500;
    rates.error_status = 502;
    server->set_faults(rates);
    CHECK(parse(send(*server, "GET", "/mock/faults").body).find("rates")->find("error-502")->as_string() == "5%");
}

TEST_CASE("requests are shown as they were received") {
    auto server = with_control();
    (void)send(*server, "POST", "/v1/responses?x=1", kBody, {{"X-Custom", "One"}});
    (void)send(*server, "GET", "/v1/models");
    (void)send(*server, "GET", "/v1/nowhere");
    const std::string form =
        "--B\r\ncontent-disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nx\r\n--B--\r\n";
    (void)send(*server, "POST", "/v1/files", form, {{"content-type", "multipart/form-data; boundary=B"}});

    const json::Value told = parse(send(*server, "GET", "/mock/requests").body);
    const auto& requests = told.find("requests")->items();
    REQUIRE(requests.size() == 4);
    CHECK(requests[0].find("method")->as_string() == "POST");
    CHECK(requests[0].find("target")->as_string() == "/v1/responses?x=1");
    CHECK(requests[0].find("number")->as_int() == 1);
    CHECK(requests[0].find("body_bytes")->as_int() == static_cast<std::int64_t>(kBody.size()));
    CHECK(requests[0].find("body_sha256")->as_string() == crypto::sha256_hex(kBody));
    CHECK(requests[0].find("body")->as_string() == kBody.substr(0, 8));
    bool found = false;
    for (const json::Value& header : requests[0].find("headers")->items())
        found = found || (header.items()[0].as_string() == "X-Custom" && header.items()[1].as_string() == "One");
    CHECK(found);
    CHECK(requests[1].find("body_sha256")->as_string() == crypto::sha256_hex(""));
    CHECK(requests[2].find("target")->as_string() == "/v1/nowhere");
    CHECK(requests[3].find("body_sha256")->as_string() == crypto::sha256_hex(form));
    CHECK(requests[3].find("body_bytes")->as_int() == static_cast<std::int64_t>(form.size()));

    const json::Value latest = parse(send(*server, "GET", "/mock/requests?limit=1").body);
    REQUIRE(latest.find("requests")->items().size() == 1);
    CHECK(latest.find("requests")->items()[0].find("target")->as_string() == "/v1/files");
    REQUIRE(server->received().size() == 4);
    CHECK(server->received()[0].header("x-custom") == "One");
    CHECK(server->counters().requests == 4);

    CHECK(send(*server, "DELETE", "/mock/requests").status == 200);
    CHECK(server->received().empty());
}
