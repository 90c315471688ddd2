#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

#include <doctest/doctest.h>

#include "metrics/samples_file.hpp"
#include "report/baseline.hpp"
#include "rollout/check.hpp"
#include "rollout/check_run.hpp"

using namespace oai;
using namespace oai::test;
using rollout::CheckOptions;

namespace {

/// Files of one test, gone after it.
struct Folder {
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("oaiguard-test-" + std::to_string(::getpid()));
    Folder() { std::filesystem::create_directories(path); }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string file(const std::string& name) const { return (path / name).string(); }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(file(name), std::ios::binary) << text;
        return file(name);
    }
};

std::string text_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

CheckRun check(const std::string& path, CheckOptions options = {}) {
    options.report_file = path;
    return run(options);
}

std::string baseline(const metrics::Tally& tally, bool valid) {
    report::BaselineReport report;
    report.run_id = "r1";
    report.scenario.name = "baseline";
    report.tally = tally;
    report.generator.valid = valid;
    if (!valid) report.generator.reasons = {"lag p99 3.100 ms is above 1 ms"};
    return report::write_json(report);
}

std::string header(const std::string& complete, int offered, const std::string& generator) {
    return R"({"schema":"oai.samples/1","complete":)" + complete + R"(,"claims":{"stream_offered":)" +
           std::to_string(offered) + R"(,"stream_sent":)" + std::to_string(offered) +
           R"(,"non_stream_offered":0,"non_stream_sent":0},"generator":)" + generator + "}";
}

std::string samples(const Folder& folder, const std::string& name, const std::string& head, int requests) {
    auto writer = metrics::SamplesWriter::create(folder.file(name), head);
    REQUIRE(writer);
    for (int i = 0; i < requests; ++i)
        writer->add(metrics::Sample{.start_us = i, .response_us = 800'000, .ttft_us = 700'000, .stream = true});
    REQUIRE(writer->finish());
    return folder.file(name);
}

}  // namespace

TEST_CASE("a report of a load run is judged like any other source") {
    const Folder folder;
    struct Row {
        std::string name;
        std::string path;
        int exit;
        const char* said;
    };
    const std::string good = folder.write("good.json", baseline(traffic(400, 0, 700'000), true));
    const std::string whole_samples =
        samples(folder, "good.oais", header("true", 400, R"({"valid":true,"reasons":[]})"), 400);
    const std::string bytes = text_of(whole_samples);
    std::string flipped = bytes;
    flipped[flipped.size() - 50] = static_cast<char>(flipped[flipped.size() - 50] ^ 1);
    const std::string good_text = text_of(good);
    const Row rows[] = {
        {"a report", good, 0, "verdict=PASS exit=0 rules=4"},
        {"a slow one", folder.write("slow.json", baseline(traffic(400, 0, 1'500'000), true)), 2, "breached=ttft.p99"},
        {"a thin one", folder.write("thin.json", baseline(traffic(5, 0, 700'000), true)), 3, "verdict=INCONCLUSIVE"},
        {"an invalid one", folder.write("invalid.json", baseline(traffic(400, 0, 700'000), false)), 3,
         "the load run judged itself invalid: lag p99 3.100 ms is above 1 ms"},
        {"an invalid one with a breach", folder.write("both.json", baseline(traffic(400, 0, 1'500'000), false)), 3,
         "the load run judged itself invalid"},
        {"a bare block", folder.write("block.json", block_of(traffic(400, 0, 700'000))), 0, "verdict=PASS exit=0"},
        {"samples", whole_samples, 0, "verdict=PASS exit=0 rules=4"},
        {"samples of an invalid run",
         samples(folder, "bad.oais", header("true", 400, R"({"valid":false,"reasons":["dropped 3"]})"), 400), 3,
         "the load run judged itself invalid: dropped 3"},
        {"samples of a killed run", samples(folder, "killed.oais", header("false", 0, R"({"valid":true})"), 400), 3,
         "the load run did not come to its end"},
        {"samples that do not say", samples(folder, "mute.oais", "{}", 400), 3,
         "does not say how many requests were sent"},
        {"samples of which some are lost", samples(folder, "lost.oais", header("true", 410, R"({"valid":true})"), 400),
         1, "the accounting identity is broken: offered 410, sent 410, dropped 0, ended 400"},
        {"cut samples", folder.write("cut.oais", bytes.substr(0, bytes.size() - 30)), 3, "the samples file was cut"},
        {"damaged samples", folder.write("flipped.oais", flipped), 1, "flipped.oais"},
        {"no such file", folder.file("nothing.json"), 1, "nothing.json cannot be read: No such file or directory"},
        {"a folder", folder.path.string(), 1, "cannot be read: Is a directory"},
        {"an empty file", folder.write("empty.json", ""), 1, "empty.json is empty"},
        {"half a report", folder.write("half.json", good_text.substr(0, good_text.size() / 2)), 1,
         "half.json is neither JSON nor a samples file"},
        {"another document", folder.write("other.json", R"({"schema":"oai.guard/1"})"), 1,
         "\"schema\" must be \"oai.baseline/1\" or \"oai.metrics/1\", got \"oai.guard/1\""},
        {"no schema", folder.write("none.json", "[]"), 1, "is not a report of oaiperf"},
        {"no block", folder.write("bare.json", R"({"schema":"oai.baseline/1","valid":true})"), 1,
         "has no \"metrics\" block"},
        {"a damaged block", folder.write("damaged.json", R"({"schema":"oai.metrics/1"})"), 1,
         "is damaged: oai.metrics/1"},
        {"does not say whether it is valid",
         folder.write("unsaid.json",
                      R"({"schema":"oai.baseline/1","metrics":)" + block_of(traffic(400, 0, 700'000)) + "}"),
         3, "the file does not say whether its load run was valid"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const CheckRun got = check(row.path);
        CAPTURE(got.out);
        CAPTURE(got.err);
        CHECK(got.exit == row.exit);
        CHECK(got.said(row.said));
        CHECK(got.last_line().find(" exit=" + std::to_string(row.exit)) != std::string::npos);
    }
}

TEST_CASE("a run that is not to be judged passes and breaches no rule, not in JUnit either") {
    const Folder folder;
    CheckOptions options;
    options.junit_file = folder.file("junit.xml");
    options.markdown_file = folder.file("check.md");
    const CheckRun got = check(folder.write("invalid.json", baseline(traffic(400, 0, 1'500'000), false)), options);
    CHECK(got.last_line() ==
          "verdict=INCONCLUSIVE exit=3 rules=4 undecided=sla,ttft.p99,error_rate,upstream_error_rate");
    const std::string junit = text_of(options.junit_file);
    CHECK(junit.find("tests=\"4\" failures=\"0\" errors=\"0\" skipped=\"4\"") != std::string::npos);
    CHECK(text_of(options.markdown_file).find("judged itself invalid") != std::string::npos);
}

TEST_CASE("one set of samples gives one block, from a report, a block and a samples file") {
    const Folder folder;
    const std::string file = samples(folder, "a.oais", header("true", 400, R"({"valid":true})"), 400);
    metrics::Tally tally;
    for (int i = 0; i < 400; ++i)
        tally.add(metrics::Sample{.start_us = i, .response_us = 800'000, .ttft_us = 700'000, .stream = true});
    CheckOptions options;
    options.metrics = true;
    const std::string want = block_of(tally) + "\n";
    CHECK(check(file, options).out == want);
    CHECK(check(folder.write("a.json", baseline(tally, true)), options).out == want);
    CHECK(check(folder.write("b.json", block_of(tally)), options).out == want);
}

TEST_CASE("a limit of the options is counted exactly where there are samples") {
    const Folder folder;
    const std::string file = samples(folder, "a.oais", header("true", 400, R"({"valid":true})"), 400);
    CheckOptions options;
    options.limits = {"ttft.p99 <= 699.999ms"};
    CHECK(check(file, options).exit == 2);
    options.limits = {"ttft.p99 <= 700ms"};
    CHECK(check(file, options).exit == 0);
}

TEST_CASE("options that select traffic of a server do not fit a file") {
    CheckOptions options;
    options.version = "v2";
    const CheckRun got = check("x.json", options);
    CHECK(got.exit == 1);
    CHECK(got.said("--version selects traffic of a server; a --report is judged as a whole"));
}

TEST_CASE("a document that cannot be written is no pass, and a breach stays one") {
    const Folder folder;
    CheckOptions options;
    options.junit_file = "/nowhere/junit.xml";
    const CheckRun pass = check(folder.write("good.json", baseline(traffic(400, 0, 700'000), true)), options);
    CHECK(pass.exit == 1);
    CHECK(pass.said("--junit: "));
    CHECK(check(folder.write("slow.json", baseline(traffic(400, 0, 1'500'000), true)), options).exit == 2);
}
