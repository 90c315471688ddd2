#include "loadgen/exchange.hpp"

#include <doctest/doctest.h>

#include "raw_server.hpp"
#include "small_run.hpp"

using oai::metrics::Duration;
using oai::metrics::Outcome;
using oai::metrics::Part;
using oai::report::BaselineReport;
using Then = RawServer::Reply::Then;

namespace {

std::string with_length(const std::string& status, const std::string& body, const std::string& fields = {}) {
    return "HTTP/1.1 " + status + "\r\ncontent-type: application/json\r\n" + fields +
           "content-length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string chunk(const std::string& text) {
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", text.size());
    return size + text + "\r\n";
}

const std::string kEvents =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n";
const std::string kEnd = "0\r\n\r\n";

std::string event(const std::string& type, const std::string& members = {}) {
    return "event: " + type + "\ndata: {\"type\":\"" + type + "\"" + members + "}\n\n";
}
const std::string kCreated = event("response.created", R"(,"response":{"status":"in_progress"})");
const std::string kDelta = event("response.output_text.delta", R"(,"delta":"Hi")");
const std::string kCompleted =
    event("response.completed", R"(,"response":{"status":"completed","usage":{"input_tokens":5,"output_tokens":3}})");

const std::string kAnswer =
    R"({"id":"r","status":"completed","output":[],"usage":{"input_tokens":7,"output_tokens":2}})";

std::string chat_data(const std::string& json) {
    return "data: " + json + "\n\n";
}
const std::string kChatRole =
    chat_data(R"({"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]})");
const std::string kChatText = chat_data(R"({"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]})");
const std::string kChatStop = chat_data(R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})");

std::string message_of(const BaselineReport& report, Outcome outcome) {
    for (const auto& of : report.errors) {
        if (of.outcome == outcome && !of.examples.empty()) return of.examples.front().message;
    }
    return {};
}

std::uint64_t n_of(const BaselineReport& report, Duration metric) {
    return report.tally.histogram(metric).count();
}

std::uint64_t warning(const BaselineReport& report, const std::string& name) {
    for (const auto& warning : report.warnings) {
        if (warning.name == name) return warning.count;
    }
    return 0;
}

}  // namespace

TEST_CASE("every way an answer can end is one outcome") {
    struct Row {
        const char* name;
        RawServer::Reply reply;
        bool stream;
        const char* endpoint;
        Outcome want;
        const char* message;
        std::uint64_t ttft;  // how many
    };
    const char* const kResponses = "/v1/responses";
    const char* const kChat = "/v1/chat/completions";
    const Row rows[] = {
        {"a whole answer", {.bytes = with_length("200 OK", kAnswer)}, false, kResponses, Outcome::ok, "", 0},
        {"a whole stream",
         {.bytes = kEvents + chunk(kCreated + kDelta) + chunk(kDelta + kCompleted) + kEnd},
         true,
         kResponses,
         Outcome::ok,
         "",
         1},
        {"an answer cut short by the caller's own limit is a success of its own class",
         {.bytes =
              with_length("200 OK", R"({"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}})")},
         false,
         kResponses,
         Outcome::incomplete,
         "",
         0},
        {"an answer that says it failed",
         {.bytes = with_length("200 OK", R"({"status":"failed","error":{"message":"x"}})")},
         false,
         kResponses,
         Outcome::stream_error,
         "says itself",
         0},
        {"a stream that says it failed",
         {.bytes = kEvents + chunk(kCreated + event("response.failed", R"(,"response":{"status":"failed"})")) + kEnd},
         true,
         kResponses,
         Outcome::stream_error,
         "says itself",
         0},
        {"500",
         {.bytes = with_length("500 Internal Server Error", R"({"error":{"message":"boom"}})")},
         false,
         kResponses,
         Outcome::http_5xx,
         "boom",
         0},
        {"503 for a stream, as text",
         {.bytes = with_length("503 Service Unavailable", "no")},
         true,
         kResponses,
         Outcome::http_5xx,
         "HTTP 503",
         0},
        {"429",
         {.bytes = with_length("429 Too Many Requests", R"({"error":{"message":"slow down"}})")},
         true,
         kResponses,
         Outcome::http_429,
         "slow down",
         0},
        {"404",
         {.bytes = with_length("404 Not Found", R"({"error":{"message":"no such model"}})")},
         false,
         kResponses,
         Outcome::http_4xx,
         "no such model",
         0},
        {"a redirect is nothing we asked for",
         {.bytes = with_length("302 Found", "", "location: /x\r\n")},
         false,
         kResponses,
         Outcome::malformed,
         "302",
         0},
        {"closed before the answer",
         {.bytes = "", .then = Then::close},
         false,
         kResponses,
         Outcome::truncated,
         "before it answered",
         0},
        {"an answer that ends before its length",
         {.bytes = with_length("200 OK", kAnswer).substr(0, 120), .then = Then::close},
         false,
         kResponses,
         Outcome::truncated,
         "before its end",
         0},
        {"a stream cut after output",
         {.bytes = kEvents + chunk(kCreated + kDelta), .then = Then::close},
         true,
         kResponses,
         Outcome::truncated,
         "",
         1},
        {"a stream that ends well framed but without its terminal event",
         {.bytes = kEvents + chunk(kCreated + kDelta) + kEnd},
         true,
         kResponses,
         Outcome::truncated,
         "terminal event",
         1},
        {"cut after its terminal event: nothing is missing",
         {.bytes = kEvents + chunk(kDelta + kCompleted), .then = Then::close},
         true,
         kResponses,
         Outcome::ok,
         "",
         1},
        {"no HTTP",
         {.bytes = "SSH-2.0-hello\r\n\r\n", .then = Then::close},
         false,
         kResponses,
         Outcome::malformed,
         "",
         0},
        {"no JSON",
         {.bytes = with_length("200 OK", "<html>")},
         false,
         kResponses,
         Outcome::malformed,
         "not a JSON object",
         0},
        {"a stream was asked for, JSON came",
         {.bytes = with_length("200 OK", kAnswer)},
         true,
         kResponses,
         Outcome::malformed,
         "content type",
         0},
        {"a chat stream",
         {.bytes = kEvents + chunk(kChatRole + kChatText + kChatStop + "data: [DONE]\n\n") + kEnd},
         true,
         kChat,
         Outcome::ok,
         "",
         1},
        {"a chat stream without [DONE] is a success with a warning",
         {.bytes = kEvents + chunk(kChatRole + kChatText + kChatStop) + kEnd},
         true,
         kChat,
         Outcome::ok,
         "",
         1},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        RawServer server([&](unsigned, const std::string&) { return row.reply; });
        const BaselineReport report = SmallRun{.stream = row.stream, .endpoint = row.endpoint}.against(server.url());
        const auto counts = report.tally.counts();
        CAPTURE(message_of(report, row.want));
        CHECK(counts.offered == 1);
        CHECK(counts.outcome(row.want) == 1);
        CHECK(n_of(report, Duration::ttft) == row.ttft);
        CHECK(message_of(report, row.want).find(row.message) != std::string::npos);
        CHECK((report.errors.empty()) == (row.want == Outcome::ok || row.want == Outcome::incomplete));
        CHECK(warning(report, "no_done") ==
              (std::string(row.name).find("without [DONE]") != std::string::npos ? 1 : 0));
        CHECK(warning(report, "retried_connection") == 0);
    }
}

TEST_CASE("a stream is timed from its events, a plain answer is not") {
    RawServer server([](unsigned, const std::string& request) {
        if (request.find("\"stream\":true") == std::string::npos)
            return RawServer::Reply{.bytes = with_length("200 OK", kAnswer)};
        return RawServer::Reply{.bytes = kEvents + chunk(": keep-alive\n\n" + kCreated),
                                .later = chunk(kDelta + kDelta) + chunk(kCompleted) + kEnd,
                                .pause_ms = 30};
    });
    const BaselineReport streamed = SmallRun{.stream = true}.against(server.url());
    const auto max_us = [&](Duration metric) { return streamed.tally.histogram(metric).max().value().count(); };
    CHECK(max_us(Duration::ttft) >= 30'000);
    CHECK(max_us(Duration::ttfe) <= max_us(Duration::ttft));
    CHECK(max_us(Duration::ttfb) <= max_us(Duration::ttfe));
    CHECK(max_us(Duration::response) >= max_us(Duration::ttft));
    CHECK(max_us(Duration::service) <= max_us(Duration::response));
    CHECK(n_of(streamed, Duration::gap) == 1);   // two output events in one read: one gap, of no time
    CHECK(n_of(streamed, Duration::tpot) == 1);  // 3 tokens by the server's usage
    CHECK(streamed.tally.counts().output_tokens == 3);

    const BaselineReport plain = SmallRun{}.against(server.url());
    for (const Duration metric : {Duration::ttfe, Duration::ttft, Duration::tpot, Duration::gap})
        CHECK(n_of(plain, metric) == 0);
    CHECK(n_of(plain, Duration::response) == 1);
    CHECK(plain.tally.counts().input_tokens == 7);
}

TEST_CASE("a target that hangs gives timeouts of exactly the timeout") {
    for (const bool after_head : {false, true}) {
        CAPTURE(after_head);
        RawServer server([&](unsigned, const std::string&) {
            return RawServer::Reply{.bytes = after_head ? kEvents + chunk(kCreated) : "", .then = Then::hang};
        });
        const BaselineReport report =
            SmallRun{.stream = true, .timeout = std::chrono::milliseconds{80}}.against(server.url());
        CHECK(report.tally.counts().outcome(Outcome::timeout) == 1);
        CHECK(report.tally.histogram(Duration::response_penalised).max() == std::chrono::milliseconds{80});
        CHECK(n_of(report, Duration::response) == 0);
    }
}

TEST_CASE("nobody listens") {
    std::string url;
    {
        url = RawServer([](unsigned, const std::string&) { return RawServer::Reply{}; }).url();
    }
    const BaselineReport report = SmallRun{.count = 3}.against(url);
    CHECK(report.tally.counts().outcome(Outcome::connect_error) == 3);
    CHECK(message_of(report, Outcome::connect_error).find("cannot connect to 127.0.0.1") != std::string::npos);
    CHECK(report.tally.rate(oai::metrics::Rate::upstream_error_rate) == oai::metrics::Ratio{3, 3});
}

// One at a time in the next two, whatever the machine does meanwhile: an arrival that finds another in flight is
// dropped.

TEST_CASE("a kept connection that was closed meanwhile is replaced once, and that is told") {
    RawServer server([](unsigned, const std::string&) {
        return RawServer::Reply{.bytes = with_length("200 OK", kAnswer), .then = Then::close};
    });
    const BaselineReport report = SmallRun{.count = 4, .max_in_flight = 1}.against(server.url());
    const std::uint64_t sent = report.tally.counts().sent;
    CHECK(report.tally.counts().outcome(Outcome::ok) == sent);
    CHECK(warning(report, "retried_connection") == sent - 1);
    CHECK(server.connections() == sent);
}

TEST_CASE("connections are kept, unless the answer says otherwise") {
    for (const bool keep : {true, false}) {
        RawServer server([&](unsigned, const std::string&) {
            return RawServer::Reply{.bytes = with_length("200 OK", kAnswer, keep ? "" : "connection: close\r\n"),
                                    .then = keep ? Then::keep : Then::close};
        });
        const BaselineReport report = SmallRun{.count = 4, .max_in_flight = 1}.against(server.url());
        const std::uint64_t sent = report.tally.counts().sent;
        CHECK(report.tally.counts().outcome(Outcome::ok) == sent);
        CHECK(warning(report, "retried_connection") == 0);
        CHECK(server.connections() == (keep ? 1 : sent));
    }
}

TEST_CASE("a request is what the scenario says, and the key is in no report") {
    std::string seen;
    RawServer server([&](unsigned, const std::string& request) {
        seen = request;
        return RawServer::Reply{
            .bytes = with_length("401 Unauthorized",
                                 R"({"error":{"message":"Incorrect API key provided: sk-test-1234567890."}})")};
    });
    SmallRun small{.stream = true};
    const BaselineReport report = small.against(server.url() + "/v1");
    CHECK(seen.starts_with("POST /v1/responses HTTP/1.1\r\nhost: 127.0.0.1:"));
    CHECK(seen.find("\r\nuser-agent: codex_cli_rs/0.1.0\r\n") != std::string::npos);
    CHECK(seen.find("\r\nauthorization: Bearer sk-test-1234567890\r\n") != std::string::npos);
    CHECK(seen.ends_with(oai::loadgen::request_body(small.scenario().streams[0])));
    CHECK(message_of(report, Outcome::http_4xx) == "Incorrect API key provided: ***.");
    CHECK(oai::report::write_json(report).find("sk-test") == std::string::npos);
}
