// The arithmetic is one: what a load run, the gateway's window and the guard say of the same samples.

#include <cstdlib>

#include <doctest/doctest.h>

#include "integration/system.hpp"
#include "json/writer.hpp"

using namespace oai::test;
using oai::json::Value;

namespace {

/// The bytes of a top-level member of a document of two-space indents, without the blanks between tokens.
std::string compact_member(const std::string& document, const std::string& name) {
    const std::string start = "\n  \"" + name + "\": ";
    const std::size_t at = document.find(start);
    REQUIRE(at != std::string::npos);
    std::string compact;
    int depth = 0;
    bool in_text = false;
    for (std::size_t i = at + start.size(); i < document.size(); ++i) {
        const char c = document[i];
        if (in_text) {
            compact += c;
            if (c == '\\') compact += document[++i];
            if (c == '"') in_text = false;
            continue;
        }
        if (c == ' ' || c == '\n') continue;
        if (c == '"') in_text = true;
        if (c == '{' || c == '[') ++depth;
        if (c == '}' || c == ']') --depth;
        compact += c;
        if (depth == 0) break;
    }
    return compact;
}

/// A run that the machine was too busy to keep to its schedule is told by exit 3: that is no matter of these tests.
void check_ran(const Finished& run, const Value& report) {
    CAPTURE(run.out);
    CAPTURE(run.err);
    CHECK((run.code == 0 || run.code == 3));
    if (run.code == 3) CHECK(run.last_line().find("invalid=") != std::string::npos);
    CHECK(number_at(report, "exit") == run.code);
}

}  // namespace

TEST_CASE("a live run: the gateway counts what the client counts, and measures what the client measures") {
    const Mock mock({"--ttft", "40ms", "--gap", "2ms", "--latency", "60ms"});
    const Gateway gateway(mock);
    const Folder folder;
    const Finished run = perf({"baseline", "--base-url", gateway.url(), "--api-key", kClientKey, "--duration", "5s",
                               "--out", folder.path().string()});
    const std::filesystem::path made = run_folder(folder.path());
    for (const char* name : {"report.json", "report.md", "report.html", "samples.oais"}) {
        CAPTURE(name);
        CHECK(std::filesystem::file_size(made / name) > 0);
    }
    const Value report = parse_json(read_file(made / "report.json"));
    check_ran(run, report);

    const Value* metrics = report.find("metrics");
    REQUIRE(metrics != nullptr);
    CHECK(number_at(*metrics, "whole.offered") == 60);
    CHECK(number_at(*metrics, "whole.outcomes.ok") == 60);
    CHECK(number_at(*metrics, "whole.dropped") == 0);
    CHECK(number_at(*metrics, "non_stream.offered") == 40);
    CHECK(number_at(*metrics, "stream.offered") == 20);
    CHECK(number_at(*metrics, "stream.durations.ttft.n") == 20);
    CHECK(number_at(*metrics, "non_stream.durations.ttft.n") == 0);
    const Value* none = metrics->find_path("non_stream.durations.ttft.p99_us");
    REQUIRE(none != nullptr);
    CHECK(none->is_null());

    const Value answer = gateway.overview("time_range=5m&platform=openai");
    const Value* window = answer.find_path("data.metrics");
    REQUIRE(window != nullptr);
    CHECK(number_at(answer, "data.request_count_total") == 60);
    for (const char* part : {"whole", "stream", "non_stream"}) {
        CAPTURE(part);
        const std::string at = part;
        CHECK(number_at(*window, at + ".offered") == number_at(*metrics, at + ".offered"));
        CHECK(number_at(*window, at + ".outcomes.ok") == number_at(*metrics, at + ".outcomes.ok"));
        CHECK(number_at(*window, at + ".output_tokens") == number_at(*metrics, at + ".output_tokens"));
        const std::int64_t ours = number_at(*window, at + ".durations.response.p50_us");
        const std::int64_t theirs = number_at(*metrics, at + ".durations.service.p50_us");
        CAPTURE(ours);
        CAPTURE(theirs);
        CHECK(ours > 0);
        CHECK(std::abs(ours - theirs) <= 5000);
    }
    CHECK(number_at(*window, "stream.durations.ttft.n") == 20);
    CHECK(number_at(*window, "whole.durations.gap.n") == number_at(*metrics, "whole.durations.gap.n"));
}

TEST_CASE("one samples file gives the same metric block by report, by gateway and by guard, byte for byte") {
    const Mock mock({"--ttft", "lognormal(20ms,0.4)", "--gap", "exp(2ms)", "--latency", "uniform(5ms,60ms)",
                     "--error-rate", "10%", "--seed", "7"});
    const Folder folder;
    const std::string reports = folder / "reports";
    const Finished run = perf({"baseline", "--base-url", mock.url(), "--api-key", "sk-any", "--duration", "3s",
                               "--non-stream-rps", "20", "--stream-rps", "20", "--out", reports});
    CAPTURE(run.out);
    CHECK((run.code == 2 || run.code == 3));  // one of ten fails, or the machine was busy
    const std::filesystem::path made = run_folder(reports);
    const std::string samples = made / "samples.oais";

    const std::string block = compact_member(read_file(made / "report.json"), "metrics") + "\n";
    REQUIRE(block.starts_with(R"({"schema":"oai.metrics/1")"));
    CHECK(number_at(parse_json(block), "whole.offered") == 120);
    CHECK(number_at(parse_json(block), "whole.outcomes.http_5xx") > 0);

    const Finished again = perf({"report", "--metrics", samples});
    CHECK(again.code == run.code);
    CHECK(again.out == block);
    CHECK(perf({"report", "--metrics", made.string()}).out == block);

    const Finished by_file = guard({"--report", samples, "--metrics"});
    CAPTURE(by_file.err);
    CHECK(by_file.out == block);
    CHECK(guard({"--report", made / "report.json", "--metrics"}).out == block);

    const Gateway gateway({.upstream = "", .config = ""});
    const Answer posted = ask(gateway.port(), request("POST", "/api/v1/admin/ops/samples",
                                                      "x-api-key: " + kAdminKey + "\r\n", read_file(samples)));
    CAPTURE(posted.body);
    REQUIRE(posted.status == 200);
    CHECK(number_at(parse_json(posted.body), "data.samples") == 120);
    const std::string query = "?time_range=30m&version=imported";
    const Answer overview = ask(gateway.port(), request("GET", "/api/v1/admin/ops/dashboard/overview" + query,
                                                        "authorization: Bearer " + kAdminKey + "\r\n", ""));
    // The block stands in the overview as it is.
    CHECK(overview.body.find(block.substr(0, block.size() - 1)) != std::string::npos);
    const Finished by_gateway =
        guard({"--base-url", gateway.url(), "--admin-token", kAdminKey, "--version", "imported", "--metrics"});
    CAPTURE(by_gateway.err);
    CHECK(by_gateway.out == block);
    // The same block is the same verdict; a run that invalidated itself is none, and only its own file knows that it
    // did.
    CHECK(by_gateway.code == 2);
    CHECK(by_file.code == run.code);
}

TEST_CASE("a file that holds no samples is refused by report, by guard and by the gateway") {
    const Folder folder;
    write_file(folder / "none.oais", "not samples");
    const Finished none = perf({"report", folder / "none.oais"});
    CHECK(none.code == 1);
    CHECK(none.err.find("none.oais") != std::string::npos);
    CHECK(lines_of(none.err).size() == 1);
    CHECK(guard({"--report", folder / "none.oais"}).code == 1);
    const Gateway gateway({.upstream = "", .config = ""});
    const Answer posted = ask(gateway.port(), request("POST", "/api/v1/admin/ops/samples",
                                                      "x-api-key: " + kAdminKey + "\r\n", "not samples"));
    CHECK(posted.status == 400);
}

TEST_CASE("oaiperf baseline --embedded needs nothing else, and its report says so") {
    const Folder folder;
    const Finished run =
        perf({"baseline", "--embedded", "--duration", "5s", "--out", folder.path().string(), "--quiet"});
    CAPTURE(run.err);
    const std::filesystem::path made = run_folder(folder.path());
    const Value report = parse_json(read_file(made / "report.json"));
    check_ran(run, report);
    CHECK(lines_of(run.out).size() == 1);
    const Value* embedded = report.find_path("target.embedded");
    REQUIRE(embedded != nullptr);
    CHECK(embedded->as_bool() == true);
    CHECK(number_at(report, "metrics.whole.offered") == 60);
    CHECK(number_at(report, "metrics.whole.outcomes.ok") == 60);
}
