#include <algorithm>
#include <chrono>
#include <string>

#include <doctest/doctest.h>

#include "rollout/check.hpp"
#include "rollout/check_run.hpp"
#include "support/canned_server.hpp"

using namespace oai;
using namespace oai::test;
using rollout::CheckOptions;

namespace {

const std::string kOps = "/api/v1/admin/ops";
const std::string kOverview = kOps + "/dashboard/overview";
const std::string kThresholds = kOps + "/settings/metric-thresholds";
const std::string kTargets =
    R"({"sla_percent_min":99.5,"ttft_p99_ms_max":900,"request_error_rate_percent_max":2.0,"upstream_error_rate_percent_max":2.0})";

std::string envelope(const std::string& data) {
    return http_answer(200, R"({"code":0,"message":"success","data":)" + data + "}");
}

std::string own(const metrics::Tally& tally) {
    return envelope(R"({"platform":"openai","group_id":null,"sla":0.5,"window":{"start":"2026-02-12T09:00:00Z",)"
                    R"("end":"2026-02-12T09:30:00Z","slot_seconds":10,"open_requests":2},"metrics":)" +
                    block_of(tally) + "}");
}

/// As a sub2api answers: fractions and counts.
std::string ancestor(int success, int errors, int upstream, const std::string& ttft) {
    const auto fraction = [](int num, int den) {
        const int scaled = den == 0 ? 0 : (num * 10000 + den / 2) / den;
        const std::string digits = std::to_string(10000 + scaled % 10000).substr(1);
        return std::to_string(scaled / 10000) + "." + digits;
    };
    const int all = success + errors;
    return envelope(R"({"platform":"openai","group_id":null,"success_count":)" + std::to_string(success) +
                    R"(,"error_count_sla":)" + std::to_string(errors) + R"(,"request_count_sla":)" +
                    std::to_string(all) + R"(,"upstream_error_count_excl_429_529":)" + std::to_string(upstream) +
                    R"(,"sla":)" + fraction(success, all) + R"(,"error_rate":)" + fraction(errors, all) +
                    R"(,"upstream_error_rate":)" + fraction(upstream, all) + R"(,"ttft":{"p99_ms":)" + ttft + "}}");
}

/// As the ancestor's drill did: percents, nothing else.
std::string percents(const std::string& sla, const std::string& ttft, const std::string& error,
                     const std::string& upstream) {
    return envelope(R"({"sla":)" + sla + R"(,"ttft":{"p99_ms":)" + ttft + R"(},"error_rate":)" + error +
                    R"(,"upstream_error_rate":)" + upstream + "}");
}

CheckRun check(const std::string& overview, CheckOptions options = {},
               const std::string& thresholds = envelope(kTargets)) {
    const CannedServer server({{.path = kOverview, .bytes = overview}, {.path = kThresholds, .bytes = thresholds}});
    options.base_url = server.url();
    return run(options);
}

}  // namespace

TEST_CASE("each answer of a server gives its exit code and the reason") {
    struct Row {
        std::string name;
        std::string overview;
        int exit;
        const char* said;
        const char* last_line;
    };
    const std::string plain_500 = http_answer(500, R"({"code":500,"message":"db down"})");
    const std::string whole = ancestor(9990, 10, 5, "800");
    const Row rows[] = {
        // ours
        {"ours, healthy", own(traffic(400, 0, 700'000)), 0, "PASS", "verdict=PASS exit=0 rules=4"},
        {"ours, told to be slow", own(traffic(400, 0, 1'500'000)), 2, "BREACH",
         "verdict=BREACH exit=2 rules=4 breached=ttft.p99"},
        {"ours, told to fail", own(traffic(400, 40, 700'000)), 2, "BREACH",
         "verdict=BREACH exit=2 rules=4 breached=sla,error_rate,upstream_error_rate"},
        {"ours, just at the limits", own(traffic(400, 2, 900'000)), 0, "PASS", "verdict=PASS exit=0 rules=4"},
        {"ours, one microsecond too slow", own(traffic(400, 0, 900'001)), 2, "BREACH",
         "verdict=BREACH exit=2 rules=4 breached=ttft.p99"},
        {"ours, idle", own(traffic(0, 0, 0)), 3, "there was no traffic to judge",
         "verdict=INCONCLUSIVE exit=3 rules=4 undecided=sla,ttft.p99,error_rate,upstream_error_rate"},
        {"ours, a handful", own(traffic(19, 0, 700'000)), 3, "19",
         "verdict=INCONCLUSIVE exit=3 rules=4 undecided=sla,ttft.p99,error_rate,upstream_error_rate"},
        // an ancestor: fractions and counts
        {"ancestor, healthy", whole, 0, "rates were computed from the server's counts", "verdict=PASS exit=0 rules=4"},
        {"ancestor, failing", ancestor(9400, 600, 560, "800"), 2, "BREACH",
         "verdict=BREACH exit=2 rules=4 breached=sla,error_rate,upstream_error_rate"},
        {"ancestor, 99.49 % shown as 0.9949", ancestor(9949, 51, 0, "800"), 2, "BREACH",
         "verdict=BREACH exit=2 rules=4 breached=sla"},
        {"ancestor, 99.499 % shown as 0.995", ancestor(99499, 501, 0, "800"), 2, "BREACH",
         "verdict=BREACH exit=2 rules=4 breached=sla"},
        {"ancestor, slow", ancestor(9990, 10, 5, "1550"), 2, "1550", "verdict=BREACH exit=2 rules=4 breached=ttft.p99"},
        {"ancestor, idle: sla 0", ancestor(0, 0, 0, "null"), 3, "there was no traffic to judge",
         "verdict=INCONCLUSIVE exit=3 rules=4 undecided=sla,ttft.p99,error_rate,upstream_error_rate"},
        {"ancestor, no stream", ancestor(9990, 10, 5, "null"), 3, "ttft.p99",
         "verdict=INCONCLUSIVE exit=3 rules=4 undecided=ttft.p99"},
        {"ancestor, no stream and failing", ancestor(9400, 600, 5, "null"), 2, "BREACH",
         "verdict=BREACH exit=2 rules=4 breached=sla,error_rate undecided=ttft.p99"},
        {"ancestor, three slow requests", ancestor(3, 0, 0, "5000"), 3, "INCONCLUSIVE",
         "verdict=INCONCLUSIVE exit=3 rules=4 undecided=sla,ttft.p99,error_rate,upstream_error_rate"},
        // the ancestor's drill: percents
        {"drill A", percents("99.78", "780", "1.20", "1.05"), 0, "read as percents", "verdict=PASS exit=0 rules=4"},
        {"drill B", percents("99.82", "730", "1.05", "0.92"), 0, "PASS", "verdict=PASS exit=0 rules=4"},
        {"drill C", percents("99.86", "680", "0.88", "0.80"), 0, "PASS", "verdict=PASS exit=0 rules=4"},
        {"drill D", percents("99.89", "640", "0.72", "0.67"), 0, "PASS", "verdict=PASS exit=0 rules=4"},
        {"drill rollback", percents("97.10", "1550", "6.30", "5.60"), 2, "BREACH",
         "verdict=BREACH exit=2 rules=4 breached=sla,ttft.p99,error_rate,upstream_error_rate"},
        {"percents, equality passes", percents("99.5", "900", "2.0", "2"), 0, "PASS", "verdict=PASS exit=0 rules=4"},
        {"fractions without counts", percents("0.998", "780", "0.002", "0.001"), 1,
         "they could be fractions or percents: say --rates fraction or --rates percent",
         "verdict=ERROR exit=1 rules=0"},
        {"everything null", percents("null", "null", "null", "null"), 3, "no data",
         "verdict=INCONCLUSIVE exit=3 rules=4 undecided=sla,ttft.p99,error_rate,upstream_error_rate"},
        {"one metric null", percents("99.8", "780", "0.2", "null"), 3, "upstream_error_rate",
         "verdict=INCONCLUSIVE exit=3 rules=4 undecided=upstream_error_rate"},
        // not an answer
        {"500", plain_500, 1, R"(answered 500: {"code":500,"message":"db down"})", "verdict=ERROR exit=1 rules=0"},
        {"401", http_answer(401, R"({"code":"INVALID_TOKEN","message":"x"})"), 1,
         "answered 401: it needs an admin token and none was given", "verdict=ERROR exit=1 rules=0"},
        {"HTML", http_answer(200, "<!doctype html><title>panel</title>", "text/html"), 1,
         "answered HTML, not JSON: is --base-url the gateway's address?", "verdict=ERROR exit=1 rules=0"},
        {"cut in the body", whole.substr(0, whole.size() - 40), 1, "the answer was cut off",
         "verdict=ERROR exit=1 rules=0"},
        {"cut in the head", "HTTP/1.1 200 OK\r\ncontent-", 1, "the answer was cut off", "verdict=ERROR exit=1 rules=0"},
        {"closed at once", "", 1, "the answer was cut off", "verdict=ERROR exit=1 rules=0"},
        {"not HTTP", "SSH-2.0-OpenSSH_9.2\r\n", 1, "something that is not HTTP", "verdict=ERROR exit=1 rules=0"},
        {"not JSON", http_answer(200, "everything is fine"), 1, "text that is not JSON: everything is fine",
         "verdict=ERROR exit=1 rules=0"},
        {"half a document", http_answer(200, R"({"code":0,"data":{"sla":99.8)"), 1, "text that is not JSON",
         "verdict=ERROR exit=1 rules=0"},
        {"code is not 0", http_answer(200, R"({"code":1001,"message":"try later"})"), 1,
         R"(answered an error: {"code":1001,"message":"try later"})", "verdict=ERROR exit=1 rules=0"},
        {"no data", http_answer(200, R"({"code":0,"message":"success"})"), 1, "without a \"data\" object",
         "verdict=ERROR exit=1 rules=0"},
        {"a block that is damaged", envelope(R"({"metrics":{"schema":"oai.metrics/1"}})"), 1,
         "oai.metrics/1: goodput_limits is missing", "verdict=ERROR exit=1 rules=0"},
        {"another platform", envelope(R"({"platform":"anthropic","sla":99.9})"), 1,
         "the answer is about platform anthropic, asked for was openai", "verdict=ERROR exit=1 rules=0"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const CheckRun got = check(row.overview);
        CAPTURE(got.out);
        CAPTURE(got.err);
        CHECK(got.exit == row.exit);
        CHECK(got.said(row.said));
        CHECK(got.last_line() == row.last_line);
        // An error is one line, and names the URL.
        if (row.exit == 1) {
            CHECK(std::count(got.err.begin(), got.err.end(), '\n') == 1);
            CHECK(got.err.find("oaiguard: ") == 0);
        }
    }
}

TEST_CASE("an error names the URL that was asked") {
    CheckOptions options;
    options.group_id = "7";
    const CannedServer moved({{.path = "/base" + kOverview, .bytes = http_answer(500, "oops", "text/plain")}});
    options.base_url = moved.url() + "/base/";
    const CheckRun got = run(options);
    CHECK(got.err == "oaiguard: GET " + moved.url() + "/base" + kOverview +
                         "?platform=openai&time_range=30m&group_id=7 answered 500: oops\n");
}

TEST_CASE("a server that hangs is told apart from one that is not there") {
    for (const std::string& begun :
         {std::string(), std::string("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"code\"")}) {
        const CannedServer server({{.path = kOverview, .bytes = begun, .hang = true}});
        CheckOptions options;
        options.base_url = server.url();
        options.timeout = std::chrono::milliseconds{250};
        const CheckRun got = run(options);
        CAPTURE(got.err);
        CHECK(got.exit == 1);
        CHECK(got.said("gave no whole answer within 250ms: it hangs or is overloaded"));
        CHECK(got.last_line() == "verdict=ERROR exit=1 rules=0");
    }
    CheckOptions options;
    {
        const CannedServer gone({});
        options.base_url = gone.url();
    }
    const CheckRun refused = run(options);
    CAPTURE(refused.err);
    CHECK(refused.exit == 1);
    CHECK(refused.said("Connection refused; is --base-url right and the gateway running?"));
}

TEST_CASE("a hang of the second request is an error too") {
    const CannedServer server({{.path = kOverview, .bytes = percents("99.8", "780", "0.2", "0.1")},
                               {.path = kThresholds, .bytes = "", .hang = true}});
    CheckOptions options;
    options.base_url = server.url();
    options.timeout = std::chrono::milliseconds{250};
    const CheckRun got = run(options);
    CAPTURE(got.err);
    CHECK(got.exit == 1);
    CHECK(got.said(kThresholds + " gave no whole answer within 250ms"));
}

TEST_CASE("the limits are those of the options, else the server's, else the target set") {
    struct Row {
        std::string name;
        CheckOptions options;
        std::string thresholds;
        int exit;
        const char* said;
    };
    const std::string strict = envelope(
        R"({"sla_percent_min":99.9,"ttft_p99_ms_max":500,"request_error_rate_percent_max":5,"upstream_error_rate_percent_max":5})");
    const std::string missing = http_answer(404, "404 page not found", "text/plain");
    CheckOptions file, target, rollback, single, added, both;
    file.limits_file = "scenarios/metric-thresholds.example.json";
    target.set = "target";
    rollback.set = "rollback";
    single.limits = {"ttft.p99 <= 700ms"};
    added.limits = {"response.p95 <= 3s"};
    both.set = "target";
    both.limits = {"ttft.p99 <= 2s"};
    const Row rows[] = {
        {"server's", {}, strict, 2, "breached=sla,ttft.p99"},
        {"server without the setting", {}, missing, 0, "built in"},
        {"server with nothing set", {}, envelope("{}"), 0, "built in"},
        {"server with one set", {}, envelope(R"({"ttft_p99_ms_max":800})"), 0, "rules=1"},
        {"server's make no sense",
         {},
         envelope(R"({"ttft_p99_ms_max":"fast"})"),
         1,
         "ttft_p99_ms_max must be a number"},
        {"server with a limit we do not know", {}, envelope(R"({"cost_max":3})"), 1, "unknown threshold \"cost_max\""},
        {"server's fail", {}, http_answer(500, "{}"), 1, "answered 500"},
        {"a file", file, strict, 0, "metric-thresholds.example.json"},
        {"--set target", target, strict, 0, "--set target"},
        {"--set rollback", rollback, strict, 0, "\"for\" was not looked at"},
        {"--limit instead", single, missing, 2, "breached=ttft.p99"},
        {"--limit added, not told by the server", added, missing, 3, "undecided=response.p95"},
        {"--set and --limit", both, strict, 0, "rules=4"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const CheckRun got = check(percents("99.8", "780", "0.2", "0.1"), row.options, row.thresholds);
        CAPTURE(got.out);
        CAPTURE(got.err);
        CHECK(got.exit == row.exit);
        CHECK(got.said(row.said));
    }
}

TEST_CASE("what is wrong with the options is told before any traffic") {
    struct Row {
        std::string name;
        void (*change)(CheckOptions&);
        const char* said;
    };
    const Row rows[] = {
        {"typo in a limit", [](CheckOptions& o) { o.limits = {"ttft.p99 =< 900ms"}; }, "--limit: limit"},
        {"unknown metric", [](CheckOptions& o) { o.limits = {"ttff.p99 <= 900ms"}; }, "unknown metric \"ttff\""},
        {"unit missing", [](CheckOptions& o) { o.limits = {"error_rate <= 2"}; }, "the unit is missing"},
        {"limits file missing", [](CheckOptions& o) { o.limits_file = "/nowhere"; },
         "--limits /nowhere: cannot be read"},
        {"set", [](CheckOptions& o) { o.set = "traget"; }, "--set must be target or rollback"},
        {"rates", [](CheckOptions& o) { o.rates = "percents"; }, "--rates must be fraction or percent"},
        {"time range", [](CheckOptions& o) { o.time_range = "15m"; }, "--time-range must be one of 5m 30m 1h"},
        {"start", [](CheckOptions& o) { o.start_time = "yesterday"; }, "--start-time: "},
        {"end alone", [](CheckOptions& o) { o.end_time = "2026-02-12T09:00:00Z"; }, "--end-time needs --start-time"},
        {"backwards",
         [](CheckOptions& o) {
             o.start_time = "2026-02-12T09:00:00Z";
             o.end_time = "2026-02-12T08:00:00Z";
         },
         "--end-time must be later than --start-time"},
        {"inconclusive", [](CheckOptions& o) { o.inconclusive = "ok"; }, "--inconclusive must be pass or breach"},
        {"timeout", [](CheckOptions& o) { o.timeout = std::chrono::seconds{0}; }, "--timeout must be above 0"},
        {"URL", [](CheckOptions& o) { o.base_url = "localhost:5231"; }, "--base-url: "},
        {"both sources", [](CheckOptions& o) { o.report_file = "x.json"; },
         "--base-url and --report exclude each other"},
        {"no source", [](CheckOptions& o) { o.base_url = ""; },
         "say what to judge: --base-url URL of a gateway, or --report"},
        {"token file", [](CheckOptions& o) { o.admin_token = "@/nowhere"; },
         "--admin-token: file /nowhere cannot be read"},
        {"token with a line", [](CheckOptions& o) { o.admin_token = "a\r\nx-api-key: b"; },
         "--admin-token: the token holds"},
    };
    const CannedServer server({});
    for (const Row& row : rows) {
        CAPTURE(row.name);
        CheckOptions options;
        options.base_url = server.url();
        row.change(options);
        const CheckRun got = run(options);
        CAPTURE(got.err);
        CHECK(got.exit == 1);
        CHECK(got.said(row.said));
        CHECK(got.last_line() == "verdict=ERROR exit=1 rules=0");
    }
    CHECK(server.requests().empty());
}

TEST_CASE("--inconclusive changes exit 3, says so, and changes nothing else") {
    CheckOptions pass, breach;
    pass.inconclusive = "pass";
    breach.inconclusive = "breach";
    const CheckRun passed = check(ancestor(0, 0, 0, "null"), pass);
    CHECK(passed.exit == 0);
    CHECK(passed.said("exit 3 became 0 by --inconclusive=pass"));
    CHECK(passed.last_line() ==
          "verdict=INCONCLUSIVE exit=0 rules=4 undecided=sla,ttft.p99,error_rate,upstream_error_rate");
    CHECK(check(ancestor(0, 0, 0, "null"), breach).exit == 2);
    CHECK(check(ancestor(9400, 600, 5, "800"), pass).exit == 2);
    CHECK(check(http_answer(500, "{}"), pass).exit == 1);
    CHECK(check(ancestor(9990, 10, 5, "800"), breach).exit == 0);
}

TEST_CASE("the token is sent as Bearer and never shown") {
    const std::string echo = http_answer(401, R"({"code":"INVALID_TOKEN","message":"bad token s3cret"})");
    const CannedServer server({{.path = kOverview, .bytes = echo}});
    CheckOptions options;
    options.base_url = server.url();
    options.admin_token = "env:TOKEN";
    options.environment = [](std::string_view name) {
        return name == "TOKEN" ? std::optional<std::string>("s3cret") : std::nullopt;
    };
    const CheckRun got = run(options);
    CHECK(got.exit == 1);
    CHECK(got.said("the admin token was refused"));
    CHECK_FALSE(got.said("s3cret"));
    REQUIRE(server.requests().size() == 1);
    CHECK(server.requests()[0].find("authorization: Bearer s3cret\r\n") != std::string::npos);
    CHECK(server.requests()[0].find("x-api-key") == std::string::npos);
}

TEST_CASE("a filter an ancestor cannot apply is refused, and one of ours is sent") {
    CheckOptions options;
    options.version = "v2";
    const CheckRun refused = check(ancestor(9990, 10, 5, "800"), options);
    CHECK(refused.exit == 1);
    CHECK(refused.said("this server cannot tell traffic apart by version"));
    CheckOptions other;
    other.version = "v1";
    const std::string answer = envelope(R"({"version":"v2","metrics":)" + block_of(traffic(400, 0, 700'000)) + "}");
    CHECK(check(answer, other).said("the answer is about version v2, asked for was v1"));
    const CannedServer server({{.path = kOverview, .bytes = answer}});
    options.base_url = server.url();
    options.provider = "llm/openai";
    CHECK(run(options).exit == 0);
    CHECK(server.requests()[0].find("?platform=openai&time_range=30m&provider=llm%2Fopenai&version=v2 ") !=
          std::string::npos);
}

TEST_CASE("--metrics prints the block of the source, byte for byte, and --json a document") {
    const metrics::Tally tally = traffic(400, 3, 700'000);
    CheckOptions options;
    options.metrics = true;
    const CheckRun block = check(own(tally), options);
    CHECK(block.out == block_of(tally) + "\n");
    CHECK(block.err == "verdict=BREACH exit=2 rules=4 breached=sla\n");
    const CheckRun none = check(ancestor(9990, 10, 5, "800"), options);
    CHECK(none.exit == 1);
    CHECK(none.said("this server gives values only, no metric block"));
    CHECK(none.out.empty());

    options.metrics = false;
    options.json = true;
    const CheckRun document = check(own(tally), options);
    const auto parsed = json::Value::parse(document.out);
    REQUIRE(parsed);
    CHECK(parsed->find("schema")->as_string() == "oai.guard/1");
    CHECK(parsed->find("verdict")->as_string() == "BREACH");
    CHECK(document.out.find(block_of(tally)) != std::string::npos);
    // An error is a document as well.
    const CheckRun failed = check(http_answer(500, "{}"), options);
    REQUIRE(json::Value::parse(failed.out));
    CHECK(json::Value::parse(failed.out)->find("verdict")->as_string() == "ERROR");
}

TEST_CASE("--quiet leaves the last line") {
    CheckOptions options;
    options.quiet = true;
    const CheckRun got = check(own(traffic(400, 0, 700'000)), options);
    CHECK(got.out == "verdict=PASS exit=0 rules=4\n");
    CHECK(got.err.empty());
}
