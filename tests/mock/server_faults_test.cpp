#include <string>

#include <doctest/doctest.h>

#include "client.hpp"

using namespace oai;
using namespace oai::mock;
using namespace oai::mock::test;
using namespace std::chrono_literals;

namespace {

std::string body(std::string_view model, bool stream) {
    return "{\"model\":\"" + std::string(model) + "\",\"stream\":" + (stream ? "true" : "false") + "}";
}

http::ClientRequest faulty(const Server& server, const char* target, const char* fault, bool stream) {
    return post(server, target, body("gpt-5-mini", stream), {{"x-mock-fault", fault}});
}

}  // namespace

TEST_CASE("an injected error has its status, an error body and where needed a retry-after") {
    auto server = start({});
    struct Row {
        int status;
        const char* retry_after;
    };
    for (const Row row : {Row{401, ""}, Row{429, "1"}, Row{500, ""}, Row{503, "1"}, Row{529, ""}, Row{599, ""}}) {
        for (const bool stream : {false, true}) {
            CAPTURE(row.status);
            const std::string fault = "error-" + std::to_string(row.status);
            const auto by_header = http::fetch_blocking(faulty(*server, "/v1/responses", fault.c_str(), stream));
            const auto by_model = http::fetch_blocking(post(*server, "/v1/responses", body("mock-" + fault, stream)));
            REQUIRE(by_header);
            REQUIRE(by_model);
            CHECK(by_header->status == row.status);
            CHECK(by_model->status == row.status);
            CHECK(by_header->header("retry-after") == row.retry_after);
            CHECK(by_header->header("content-type") == "application/json");
            CHECK(parse(by_header->body).find_path("error.message")->is_string());
        }
    }
    const auto unknown = http::fetch_blocking(faulty(*server, "/v1/responses", "boom", true));
    REQUIRE(unknown);
    CHECK(unknown->status == 400);
    CHECK(unknown->body.find("cut-before-head") != std::string::npos);
}

TEST_CASE("cuts really truncate, wherever they are") {
    auto server = start({});
    struct Row {
        const char* fault;
        bool stream;
        std::uint64_t output_events;
        bool any_byte;
    };
    const Row rows[] = {{"cut", false, 0, true},
                        {"cut-before-output", false, 0, true},
                        {"cut-before-head", false, 0, false},
                        {"cut-before-head", true, 0, false},
                        {"cut-before-output", true, 0, true},
                        {"cut-after-3", true, 3, true},
                        {"cut-after-16", true, 16, true}};
    for (const char* target : {"/v1/responses", "/v1/chat/completions"}) {
        for (const Row& row : rows) {
            CAPTURE(target);
            CAPTURE(row.fault);
            CAPTURE(row.stream);
            const std::size_t before = server->log().size();
            const auto response = http::fetch_blocking(faulty(*server, target, row.fault, row.stream));
            REQUIRE_FALSE(response);
            CHECK(response.error().code == core::Code::upstream_truncated);
            REQUIRE(soon([&] { return server->log().size() > before; }));
            const SendRecord record = server->log().back();
            CHECK(record.output_events == row.output_events);
            CHECK(record.first_byte_us.has_value() == row.any_byte);
            CHECK(record.fault == row.fault);
            CHECK_FALSE(record.complete);
        }
    }
}

TEST_CASE("a stream can end with an error event, whole in its framing") {
    auto server = start({});
    const auto failed = http::fetch_blocking(faulty(*server, "/v1/responses", "failed-event-after-2", true));
    REQUIRE(failed);
    const std::vector<std::string> got = events(failed->body);
    REQUIRE(got.size() == 7);
    CHECK(type_of(got[5]) == "response.output_text.delta");
    CHECK(type_of(got[6]) == "response.failed");

    const auto early =
        http::fetch_blocking(faulty(*server, "/v1/chat/completions", "failed-event-before-output", true));
    REQUIRE(early);
    const std::vector<std::string> chunks = events(early->body);
    REQUIRE(chunks.size() == 2);
    CHECK(parse(chunks[1]).find_path("error.type")->as_string() == "server_error");

    const auto whole = http::fetch_blocking(faulty(*server, "/v1/responses", "failed-event", false));
    REQUIRE(whole);
    CHECK(whole->status == 200);
    CHECK(parse(whole->body).find("status")->as_string() == "failed");
}

TEST_CASE("a hang and a stall last until the client leaves") {
    auto server = start({});
    for (const char* fault : {"hang", "stall", "stall-after-3"}) {
        for (const bool stream : {false, true}) {
            CAPTURE(fault);
            CAPTURE(stream);
            const std::size_t before = server->log().size();
            http::ClientRequest request = faulty(*server, "/v1/responses", fault, stream);
            request.timeout = 20ms;
            const auto response = http::fetch_blocking(request);
            REQUIRE_FALSE(response);
            CHECK(response.error().code == core::Code::upstream_timeout);
            REQUIRE(soon([&] { return server->log().size() > before; }));
            const SendRecord record = server->log().back();
            CHECK((record.status == 0) == (fault == std::string("hang")));
            CHECK(record.end_us >= 15'000);
            CHECK_FALSE(record.complete);
        }
    }
    CHECK(soon([&] { return server->counters().open == 0; }));
}

TEST_CASE("a client that leaves while its answer waits is noticed") {
    ServerOptions options;
    options.behaviour.ttft = *parse_duration_distribution("1h");
    auto server = start(options);
    http::ClientRequest request = post(*server, "/v1/responses", body("m", true));
    request.timeout = 5ms;
    CHECK_FALSE(http::fetch_blocking(request));
    CHECK(soon([&] { return server->counters().open == 0; }));
    REQUIRE(server->log().size() == 1);
    CHECK(server->log()[0].events == 2);
}

TEST_CASE("slow is late and right") {
    auto server = start({});
    for (const bool stream : {false, true}) {
        const auto response = http::fetch_blocking(post(*server, "/v1/responses", body("mock-slow-5ms", stream)));
        REQUIRE(response);
        CHECK(response->status == 200);
    }
    server->stop();
    const std::vector<SendRecord> log = server->log();
    CHECK(*log[0].first_byte_us >= 5'000);
    CHECK(*log[1].first_byte_us < *log[1].first_output_us);
    CHECK(*log[1].first_output_us >= 5'000);
}
