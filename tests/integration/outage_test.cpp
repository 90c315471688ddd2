// The upstream dies in mid-run.

#include <csignal>
#include <thread>

#include <doctest/doctest.h>

#include "integration/system.hpp"

using namespace oai::test;
using namespace std::chrono_literals;
using oai::json::Value;

namespace {

const std::vector<std::string> kSlowStreams{"--ttft", "50ms", "--gap", "100ms", "--tokens", "16", "--latency", "300ms"};

Command baseline(const std::string& url, const Folder& folder) {
    return {.program = kOaiperf,
            .arguments = {"baseline", "--base-url", url, "--api-key", kClientKey, "--duration", "3s",
                          "--non-stream-rps", "10", "--stream-rps", "10", "--out", folder.path().string()},
            .environment = {},
            .folder = {}};
}

/// Offered = sent + dropped, and sent = the sum of the other outcomes: checked here, not only believed.
void check_identity(const Value& metrics) {
    for (const char* part : {"whole", "stream", "non_stream"}) {
        CAPTURE(part);
        const Value* block = metrics.find(part);
        REQUIRE(block != nullptr);
        const Value* ok = block->find("identity_ok");
        REQUIRE(ok != nullptr);
        CHECK(ok->as_bool() == true);
        CHECK(number_at(*block, "offered") == number_at(*block, "sent") + number_at(*block, "dropped"));
        const Value* outcomes = block->find("outcomes");
        REQUIRE(outcomes != nullptr);
        std::int64_t sum = 0;
        for (const auto& [name, count] : outcomes->members()) {
            if (name != "dropped") sum += count.as_int().value_or(0);
        }
        CHECK(sum == number_at(*block, "sent"));
    }
    CHECK(number_at(metrics, "whole.offered") == 60);
}

}  // namespace

TEST_CASE("a mock that is killed leaves truncated streams and refused connections in the report") {
    Mock mock(kSlowStreams);
    const Folder folder;
    Process run(baseline(mock.url(), folder));
    std::this_thread::sleep_for(1500ms);
    mock.process.signal(SIGKILL);
    const std::optional<int> code = run.wait(60s);
    CAPTURE(run.err());
    CHECK((code == 2 || code == 3));
    const Value report = parse_json(read_file(run_folder(folder.path()) / "report.json"));
    const Value* metrics = report.find("metrics");
    REQUIRE(metrics != nullptr);
    check_identity(*metrics);
    CHECK(number_at(*metrics, "whole.outcomes.ok") > 0);
    CHECK(number_at(*metrics, "stream.outcomes.truncated") > 0);
    CHECK(number_at(*metrics, "whole.outcomes.connect_error") > 0);
}

TEST_CASE("behind the gateway a killed mock is error events and 502, and the gateway serves again when it is back") {
    Mock mock(kSlowStreams);
    const Gateway gateway(mock);
    const Folder folder;
    Process run(baseline(gateway.url(), folder));
    std::this_thread::sleep_for(1s);
    RawClient responses(gateway.port()), chat(gateway.port()), waiting(gateway.port());
    CHECK(responses.send(post("/v1/responses", responses_body("gpt-5", true))));
    CHECK(chat.send(post("/v1/chat/completions", chat_body("gpt-5", true))));
    REQUIRE(!responses.read_until("output_text.delta").empty());
    REQUIRE(!chat.read_until("\"content\":\"A").empty());
    CHECK(waiting.send(post("/v1/responses", responses_body("gpt-5"))));
    std::this_thread::sleep_for(50ms);
    mock.process.signal(SIGKILL);

    const Answer cut = responses.read_answer();
    CHECK(cut.status == 200);
    CHECK(cut.body.find("event: error\n") != std::string::npos);
    CHECK(cut.body.find("upstream_truncated") != std::string::npos);
    CHECK(cut.body.find("response.completed") == std::string::npos);
    CHECK(responses.closed());
    const Answer cut_chat = chat.read_answer();
    CHECK(cut_chat.body.find("\"error\":{") != std::string::npos);
    CHECK(cut_chat.body.find("[DONE]") == std::string::npos);
    CHECK(cut_chat.body.find("\"finish_reason\":\"stop\"") == std::string::npos);
    CHECK(chat.closed());
    const Answer lost = waiting.read_answer();
    CHECK(lost.status == 502);
    CHECK(error_of(lost, "type") == "upstream_error");
    const Answer refused = ask(gateway.port(), post("/v1/responses", responses_body("gpt-5")));
    CHECK(refused.status == 502);
    CHECK(error_of(refused, "code") == "upstream_unreachable");
    CHECK(refused.body.find(std::to_string(mock.port())) == std::string::npos);

    const std::optional<int> code = run.wait(60s);
    CAPTURE(run.err());
    CHECK((code == 2 || code == 3));
    const Value report = parse_json(read_file(run_folder(folder.path()) / "report.json"));
    const Value* metrics = report.find("metrics");
    REQUIRE(metrics != nullptr);
    check_identity(*metrics);
    // The gateway stands: its client sees an error event in the streams, a 502 elsewhere, and no lost connection.
    CHECK(number_at(*metrics, "whole.outcomes.ok") > 0);
    CHECK(number_at(*metrics, "stream.outcomes.stream_error") > 0);
    CHECK(number_at(*metrics, "whole.outcomes.http_5xx") > 0);
    CHECK(number_at(*metrics, "whole.outcomes.truncated") == 0);
    CHECK(number_at(*metrics, "whole.outcomes.connect_error") == 0);
    // The gateway knows better what it was.
    const Value answer = gateway.overview();
    CHECK(number_at(answer, "data.metrics.whole.outcomes.truncated") > 0);
    CHECK(number_at(answer, "data.metrics.whole.outcomes.connect_error") > 0);

    const Mock back(kSlowStreams, mock.port());
    CHECK(ask(gateway.port(), post("/v1/responses", responses_body("gpt-5"))).status == 200);
    const Answer stream = ask(gateway.port(), post("/v1/responses", responses_body("gpt-5", true)));
    CHECK(stream.whole);
    CHECK(stream.body.find("event: response.completed") != std::string::npos);
}

TEST_CASE("a run that is stopped by Ctrl-C writes its report, says that it proves nothing and exits 3") {
    const Mock mock({"--ttft", "20ms"});
    const Folder folder;
    Command command = baseline(mock.url(), folder);
    command.arguments.insert(command.arguments.end(), {"--quiet"});
    command.arguments[6] = "60s";
    Process run(command);
    std::this_thread::sleep_for(1s);
    run.signal(SIGINT);
    CHECK(run.wait() == 3);
    CAPTURE(run.out());
    CHECK(lines_of(run.out()).back().starts_with("verdict=INCONCLUSIVE exit=3 "));
    const Value report = parse_json(read_file(run_folder(folder.path()) / "report.json"));
    CHECK(number_at(report, "exit") == 3);
    const Value* whole = report.find_path("metrics.whole");
    REQUIRE(whole != nullptr);
    CHECK(number_at(*whole, "offered") > 10);
    CHECK(number_at(*whole, "offered") < 600);
    CHECK(whole->find("identity_ok")->as_bool() == true);
}
