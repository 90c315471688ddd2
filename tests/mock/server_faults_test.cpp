#include <string>

#include <doctest/doctest.h>
#include <zlib.h>

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

/// All bytes of the answer, as they came.
std::string raw_answer(const Server& server, const std::string& target, const std::string& fault, bool stream,
                       boost::system::error_code* end = nullptr) {
    const std::string json = body("gpt-5-mini", stream);
    return raw_exchange(server,
                        "POST " + target + " HTTP/1.1\r\nhost: m\r\nconnection: close\r\nx-mock-fault: " + fault +
                            "\r\ncontent-length: " + std::to_string(json.size()) + "\r\n\r\n" + json,
                        {}, end);
}

std::string body_of(const std::string& answer) {
    return answer.substr(answer.find("\r\n\r\n") + 4);
}

std::size_t length_of(const std::string& answer) {
    const std::size_t at = answer.find("content-length: ");
    return at == std::string::npos ? std::string::npos : std::stoul(answer.substr(at + 16));
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

std::string unzipped(const std::string& bytes) {
    constexpr int kGzip = 15 + 16;
    z_stream z{};
    REQUIRE(inflateInit2(&z, kGzip) == Z_OK);
    std::string text(1 << 20, '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    z.avail_in = static_cast<uInt>(bytes.size());
    z.next_out = reinterpret_cast<Bytef*>(text.data());
    z.avail_out = static_cast<uInt>(text.size());
    CHECK(inflate(&z, Z_FINISH) == Z_STREAM_END);
    text.resize(z.total_out);
    inflateEnd(&z);
    return text;
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

TEST_CASE("what the bytes of a faulty answer are, and what they are not") {
    auto server = start({});
    struct Row {
        const char* fault;
        bool stream;
        const char* target;
        const char* has;
        const char* has_not;
        bool ends_clean;  // by length or by the last chunk
    };
    const char* const kResponses = "/v1/responses";
    const char* const kChat = "/v1/chat/completions";
    const Row rows[] = {
        {"none", true, kResponses, "response.completed", "error\":{", true},
        {"error-in-200", false, kResponses, "application/json\r\n", "\"object\"", true},
        {"error-in-200", true, kResponses, "{\"error\":{\"message\"", "data: ", true},
        {"non-json", false, kResponses, "text/html\r\n", "{", true},
        {"non-json", true, kChat, "<html>", "data: ", true},
        {"half-json", false, kResponses, "\"object\":\"response\"", "\"metadata\"", true},
        {"truncated-json", false, kResponses, "\"object\":\"response\"", "\"metadata\"", false},
        {"truncated-json", true, kResponses, "content-length: ", "data: ", false},
        {"bad-chunk", false, kResponses, "xyz\r\n", "content-length", false},
        {"bad-chunk-after-2", true, kResponses, "xyz\r\n", "response.completed", false},
        {"bad-chunk-before-output", true, kChat, "xyz\r\n", "content\":\"A", false},
        {"early-close", false, kResponses, "connection: close", "content-length", false},
        {"early-close-after-2", true, kResponses, "connection: close", "transfer-encoding", false},
        {"no-terminal", true, kResponses, "response.output_text.delta", "response.output_text.done", true},
        {"no-terminal", true, kChat, "\"content\":\"moves", "\"finish_reason\":\"stop\"", true},
        {"no-done", true, kChat, "\"finish_reason\":\"stop\"", "[DONE]", true},
        {"done-event", true, kResponses, "event: response.done\n", "response.completed", true},
        {"cancelled-event", true, kResponses, "event: response.cancelled\n", "response.completed", true},
        {"cancelled-event", false, kResponses, "\"status\":\"cancelled\"", "\"status\":\"completed\",\"back", true},
        {"late-error-after-2", true, kResponses, "event: error\ndata: ", "response.failed", true},
        {"late-error-after-2", true, kChat, "data: {\"error\":", "[DONE]", true},
        {"first-event-error", true, kResponses, "\"sequence_number\":0,\"code\":\"server_error\"", "response.created",
         true},
        {"first-event-error", false, kResponses, "\"status\":\"failed\"", "output_text", true},
        {"capacity", true, kResponses, "model is at capacity", "output_text", true},
        {"capacity", false, kResponses, "model is at capacity", "output_text", true},
    };
    ServerOptions longer;
    longer.behaviour.tokens = Distribution::constant(24);
    server->set_behaviour(longer.behaviour);
    for (const Row& row : rows) {
        CAPTURE(std::string(row.fault));
        CAPTURE(std::string(row.target));
        CAPTURE(row.stream);
        const std::string answer = raw_answer(*server, row.target, row.fault, row.stream);
        CAPTURE(answer);
        CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
        CHECK(has(answer, row.has));
        CHECK_FALSE(has(answer, row.has_not));
        const bool clean = answer.ends_with("0\r\n\r\n") || length_of(answer) == body_of(answer).size();
        CHECK(clean == row.ends_clean);
    }
    const std::string longer_than_said = raw_answer(*server, kResponses, "wrong-length", true);
    CHECK(length_of(longer_than_said) + 7 == body_of(longer_than_said).size());
    CHECK(json::Value::parse(body_of(longer_than_said)));
}

TEST_CASE("late errors come after as much output as they say") {
    auto server = start({});
    for (const char* fault : {"late-error-after-2", "failed-event-after-2", "bad-chunk-after-2", "reset-after-2"}) {
        CAPTURE(std::string(fault));
        (void)raw_answer(*server, "/v1/responses", fault, true);
    }
    server->stop();
    REQUIRE(server->log().size() == 4);
    for (const SendRecord& record : server->log()) CHECK(record.output_events == 2);
}

TEST_CASE("a reset is a reset, and a cut is not") {
    auto server = start({});
    for (const bool stream : {false, true}) {
        for (const char* fault : {"reset", "reset-before-output", "reset-before-head"}) {
            CAPTURE(std::string(fault));
            boost::system::error_code end;
            const std::string got = raw_answer(*server, "/v1/responses", fault, stream, &end);
            CHECK(end == boost::asio::error::connection_reset);
            CHECK((got.empty() || !has(fault, "before-head")));
        }
        boost::system::error_code end;
        (void)raw_answer(*server, "/v1/responses", "cut", stream, &end);
        CHECK(end == boost::asio::error::eof);
    }
}

TEST_CASE("pings alone go on until the client leaves") {
    auto server = start({});
    http::ClientRequest request = faulty(*server, "/v1/responses", "ping-only-2ms", true);
    request.timeout = 60ms;
    const auto response = http::fetch_blocking(request);
    REQUIRE_FALSE(response);
    CHECK(response.error().code == core::Code::upstream_timeout);
    REQUIRE(soon([&] { return server->log().size() == 1; }));
    CHECK(server->log()[0].events == 0);
    CHECK(server->log()[0].bytes > 400);  // the head is half of it
}

TEST_CASE("slow bytes are the right bytes") {
    auto server = start({});
    struct Row {
        const char* fault;
        std::int64_t at_least_us;
    };
    for (const Row row : {Row{"slow-head-20ms", 20'000}, Row{"trickle", 0}, Row{"trickle-20us", 20 * 300}}) {
        CAPTURE(std::string(row.fault));
        http::ClientRequest request = get(*server, "/v1/models/m");
        request.headers = {{"x-mock-fault", row.fault}};
        const auto response = http::fetch_blocking(request);
        REQUIRE(response);
        CHECK(parse(response->body).find("id")->as_string() == "m");
        const auto stream = http::fetch_blocking(faulty(*server, "/v1/chat/completions", row.fault, true));
        REQUIRE(stream);
        CHECK(stream->body.ends_with("data: [DONE]\n\n"));
    }
    server->stop();
    const std::vector<SendRecord> log = server->log();
    REQUIRE(log.size() == 6);
    CHECK(log[0].end_us >= 20'000);
    CHECK(log[0].first_byte_us < 20'000);
    CHECK(log[1].end_us >= 20'000);
    CHECK(log[4].end_us >= 20 * 300);
}

TEST_CASE("a huge event is as long as it says and fits the text of its end") {
    auto server = start({});
    for (const char* target : {"/v1/responses", "/v1/chat/completions"}) {
        const auto response = http::fetch_blocking(faulty(*server, target, "huge-event-100KiB", true));
        REQUIRE(response);
        std::size_t longest = 0;
        std::string text, end;
        for (const std::string& data : events(response->body)) {
            longest = std::max(longest, data.size());
            if (data == "[DONE]") continue;
            const json::Value event = parse(data);
            if (const json::Value* delta = event.find("delta")) text += delta->as_string().value_or("");
            if (const json::Value* whole = event.find("text")) end = whole->as_string().value_or("");
        }
        CHECK(longest > 100 * 1024);
        CHECK(text == end);
    }
}

TEST_CASE("gzip comes unasked, for whole answers and event by event") {
    auto server = start({});
    for (const bool stream : {false, true}) {
        const auto response = http::fetch_blocking(faulty(*server, "/v1/responses", "gzip", stream));
        REQUIRE(response);
        CHECK(response->header("content-encoding") == "gzip");
        const std::string text = unzipped(response->body);
        if (stream) {
            CHECK(type_of(events(text).back()) == "response.completed");
        } else {
            CHECK(parse(text).find("status")->as_string() == "completed");
        }
    }
    ServerOptions always;
    always.behaviour.gzip = true;
    auto zipping = start(always);
    const auto response = http::fetch_blocking(get(*zipping, "/v1/models/m"));
    CHECK(parse(unzipped(response->body)).find("id")->as_string() == "m");
}
