// oaiguard's verdicts on real traffic of a real gateway, and its refusal to judge what it cannot read.

#include <csignal>

#include <doctest/doctest.h>

#include "integration/scripted_upstream.hpp"
#include "integration/system.hpp"
#include "support/canned_server.hpp"

using namespace oai::test;
using namespace std::chrono_literals;

namespace {

/// A mock, a gateway in front of it, and a load that runs.
struct Traffic {
    Traffic(const std::vector<std::string>& mock_arguments, const std::string& non_stream_rps,
            const std::string& stream_rps)
        : mock(mock_arguments),
          load(Command{.program = kOaiperf,
                       .arguments = {"baseline", "--base-url", gateway.url(), "--api-key", kClientKey, "--duration",
                                     "2s", "--non-stream-rps", non_stream_rps, "--stream-rps", stream_rps, "--out",
                                     folder.path().string(), "--quiet"},
                       .environment = {},
                       .folder = {}}) {}

    Mock mock;
    Gateway gateway{mock};
    Folder folder;
    Process load;
};

Finished check(const Gateway& gateway, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"--base-url", gateway.url(), "--admin-token", kAdminKey, "--time-range", "5m"});
    return guard(std::move(more));
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the guard says 2 to a slow and to a failing upstream, 3 where nothing was to be seen, and 0 to a good one") {
    // All at once: it is waiting that takes the time.
    Traffic good({"--ttft", "20ms", "--latency", "20ms"}, "10", "15");
    Traffic slow({"--ttft", "1500ms"}, "10", "15");
    Traffic failing({"--error-rate", "50%"}, "15", "15");
    Traffic hanging({"--hang-rate", "30%"}, "15", "15");
    Traffic unstreamed({}, "15", "0");
    for (Traffic* traffic : {&good, &slow, &failing, &unstreamed}) CHECK(traffic->load.wait(60s));

    const Finished pass = check(good.gateway);
    CAPTURE(pass.out);
    CHECK(pass.code == 0);
    CHECK(pass.last_line() == "verdict=PASS exit=0 rules=4");
    CHECK(pass.err.empty());

    const Finished late = check(slow.gateway);
    CAPTURE(late.out);
    CHECK(late.code == 2);
    CHECK(late.last_line() == "verdict=BREACH exit=2 rules=4 breached=ttft.p99");
    // The rollback set's 1200 ms are passed too, and a wider limit is not.
    CHECK(check(slow.gateway, {"--set", "rollback"}).code == 2);
    CHECK(check(slow.gateway, {"--limit", "ttft.p99 <= 10s"}).code == 0);

    const Finished broken = check(failing.gateway);
    CAPTURE(broken.out);
    CHECK(broken.code == 2);
    // Of half the streams there may be too few to judge their times.
    CHECK(broken.last_line().starts_with("verdict=BREACH exit=2 rules=4 breached=sla,error_rate,upstream_error_rate"));

    const Finished blind = check(unstreamed.gateway);
    CAPTURE(blind.out);
    CHECK(blind.code == 3);
    CHECK(blind.last_line().starts_with("verdict=INCONCLUSIVE exit=3 rules=4"));
    CHECK(has(blind.out, "ttft.p99"));
    CHECK(check(unstreamed.gateway, {"--inconclusive", "breach"}).code == 2);
    CHECK(check(unstreamed.gateway, {"--inconclusive", "pass"}).code == 0);

    // A filter that no traffic fits is no data, not a pass.
    CHECK(check(good.gateway, {"--version", "v9"}).code == 3);
    CHECK(check(good.gateway, {"--version", "v1"}).code == 0);

    // What hangs is still under way: the guard says so, and does not count it as good.
    CHECK(hanging.load.running());
    const oai::json::Value overview = hanging.gateway.overview();
    CHECK(number_at(overview, "data.window.open_requests") > 0);
    CHECK(number_at(overview, "data.window.open_requests") + number_at(overview, "data.request_count_total") == 60);
    // How it ends is start_test's matter.
    hanging.gateway.process.signal(SIGKILL);
}

TEST_CASE("the guard says 3 to an idle gateway") {
    const Gateway gateway({.upstream = "", .config = ""});
    const Finished idle = check(gateway);
    CAPTURE(idle.out);
    CHECK(idle.code == 3);
    CHECK(idle.last_line().starts_with("verdict=INCONCLUSIVE exit=3 rules=4"));
    const Finished json = check(gateway, {"--json"});
    CHECK(json.code == 3);
    CHECK(text_at(parse_json(json.out), "verdict") == "INCONCLUSIVE");
    CHECK(lines_of(json.err).back() == idle.last_line());
}

TEST_CASE("limits that are put to the gateway are what the guard judges by") {
    const Mock mock;
    Gateway gateway(mock);
    for (int i = 0; i < 25; ++i) {
        const Answer answer = ask(gateway.port(), post("/v1/responses", responses_body("gpt-5", true)));
        REQUIRE(answer.whole);
    }
    CHECK(check(gateway).code == 0);
    const std::string path = "/api/v1/admin/ops/settings/metric-thresholds", admin = "x-api-key: " + kAdminKey + "\r\n";
    const Answer limits = ask(gateway.port(), request("GET", path, admin, ""));
    REQUIRE(limits.status == 200);
    const oai::json::Value before = parse_json(limits.body);
    CHECK(number_at(before, "data.ttft_p99_ms_max") == 900);
    // The mock answers at once, but not in no time.
    const Answer put =
        ask(gateway.port(), request("PUT", path, admin,
                                    R"({"sla_percent_min":99.5,"ttft_p99_ms_max":0,"request_error_rate_percent_max":2,)"
                                    R"("upstream_error_rate_percent_max":2})"));
    CAPTURE(put.body);
    REQUIRE(put.status == 200);
    const Finished judged = check(gateway);
    CAPTURE(judged.out);
    CHECK(judged.code == 2);
    CHECK(has(judged.out, "Limits (server)"));
    CHECK(check(gateway, {"--limits", OAI_SOURCE_DIR "/scenarios/metric-thresholds.example.json"}).code == 0);
}

TEST_CASE("what the guard cannot read is 1, and one line says why") {
    const std::string path = "/api/v1/admin/ops/";
    const CannedServer broken({{path, http_answer(500, R"({"code":500,"message":"the database is down"})")}});
    const CannedServer html({{path, http_answer(200, "<!doctype html><title>Welcome</title>", "text/html")}});
    const CannedServer hanging({{path, "", true}});
    const CannedServer half(
        {{path, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{\"code\":0,"}});
    const CannedServer nothing({});
    const CannedServer empty({{path, http_answer(200, "{}")}});
    const Gateway gateway({.upstream = "", .config = ""});
    const Mock mock;
    std::uint16_t closed = 0;
    {
        const ScriptedUpstream gone(json_script(200, "{}"));
        closed = gone.port();
    }
    const std::string url = gateway.url();
    struct Row {
        std::string name;
        std::vector<std::string> arguments;
        std::string word;  ///< of the line that says why
    };
    const Row rows[] = {
        {"a closed port", {"--base-url", "http://127.0.0.1:" + std::to_string(closed)}, "refused"},
        {"no URL", {"--base-url", "localhost:5231"}, "--base-url"},
        {"a host that is none", {"--base-url", "http://no-such-host.invalid"}, "no-such-host.invalid"},
        {"another server", {"--base-url", mock.url()}, "404"},
        {"a path that is wrong", {"--base-url", url + "/wrong"}, "404"},
        {"a wrong token", {"--base-url", url, "--admin-token", "nobody"}, "401"},
        {"no token", {"--base-url", url}, "401"},
        {"a 500", {"--base-url", broken.url()}, "500"},
        {"an HTML page", {"--base-url", html.url()}, "HTML"},
        {"a hang", {"--base-url", hanging.url(), "--timeout", "500ms"}, "500ms"},
        {"half an answer", {"--base-url", half.url()}, "cut off"},
        {"a 404", {"--base-url", nothing.url()}, "404"},
        {"an answer without numbers", {"--base-url", empty.url()}, empty.url()},
        {"a typo in a metric", {"--base-url", url, "--limit", "tfft.p99 <= 900ms"}, "tfft"},
        {"a limit without a unit", {"--base-url", url, "--limit", "ttft.p99 <= 900"}, "unit"},
        {"a unit that does not fit", {"--base-url", url, "--limit", "error_rate <= 2ms"}, "error_rate"},
        {"a limit beyond its range", {"--base-url", url, "--limit", "error_rate <= 200%"}, "error_rate"},
        {"a set that is none", {"--base-url", url, "--set", "targte"}, "targte"},
        {"a range that is none", {"--base-url", url, "--time-range", "5x"}, "5x"},
        {"an unknown flag", {"--base-url", url, "--tmeout", "5s"}, "--tmeout"},
        {"a wrong duration", {"--base-url", url, "--timeout", "5"}, "--timeout"},
        {"nothing to judge", {}, "--base-url"},
        {"a file that is not there", {"--report", "no-such-report.json"}, "no-such-report.json"},
        {"a file that is none", {"--report", OAI_SOURCE_DIR "/CMakeLists.txt"}, "CMakeLists.txt"},
        {"limits that are not there", {"--base-url", url, "--limits", "no-such-limits.json"}, "no-such-limits.json"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const auto start = std::chrono::steady_clock::now();
        const Finished finished = guard(row.arguments);
        CAPTURE(finished.out);
        CAPTURE(finished.err);
        CHECK(finished.code == 1);
        const std::vector<std::string> said = lines_of(finished.err);
        REQUIRE(!said.empty());
        CHECK(said[0].starts_with("oaiguard: "));
        CHECK(has(said[0], row.word));
        // A usage error may name --help in a second line.
        CHECK((said.size() == 1 || (said.size() == 2 && has(said[1], "--help"))));
        CHECK_FALSE(has(finished.err, "nobody"));
        CHECK_FALSE(has(finished.out, "PASS"));
        CHECK(std::chrono::steady_clock::now() - start < 10s);
    }
}

TEST_CASE("the programs' usage errors are 1, help and version are 0") {
    for (const char* program : {kOaigw, kOaiperf, kOaiguard}) {
        CAPTURE(std::string(program));
        const auto code = [&](std::vector<std::string> arguments) {
            return run(Command{.program = program, .arguments = std::move(arguments), .environment = {}, .folder = {}})
                .code;
        };
        CHECK(code({}) == 1);
        CHECK(code({"--no-such-flag"}) == 1);
        CHECK(code({"no-such-command"}) == 1);
        CHECK(code({"--help"}) == 0);
        CHECK(code({"--version"}) == 0);
    }
    for (const std::vector<std::string>& arguments : {std::vector<std::string>{"baseline", "--duration", "3"},
                                                      {"baseline", "--base-url", "nonsense"},
                                                      {"baseline", "--stream-rps", "many"},
                                                      {"baseline", "--non-stream-rps", "0", "--stream-rps", "0"},
                                                      {"mock", "--ttft", "soon"},
                                                      {"mock", "--error-rate", "2"},
                                                      {"report"},
                                                      {"report", "no-such-file"}}) {
        CAPTURE(arguments.back());
        const Finished finished = perf(arguments);
        CAPTURE(finished.err);
        CHECK(finished.code == 1);
        CHECK(!finished.err.empty());
        CHECK(lines_of(finished.err).size() <= 2);
    }
}
