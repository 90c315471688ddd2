#include "loadgen/rereport.hpp"

#include <fstream>
#include <unistd.h>

#include <doctest/doctest.h>

#include "json/writer.hpp"
#include "loadgen/baseline.hpp"
#include "loadgen/run_header.hpp"
#include "metrics/block.hpp"
#include "metrics/samples_file.hpp"
#include "raw_server.hpp"
#include "small_run.hpp"

using namespace oai;
using std::chrono::seconds;

namespace {

std::string block_of(const metrics::Tally& tally) {
    json::Writer out;
    metrics::write_block(out, tally);
    return out.take();
}

/// A folder of its own, gone at the end.
struct Folder {
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("oai-rereport-" + std::to_string(::getpid()));
    Folder() { std::filesystem::create_directories(path); }
    ~Folder() { std::filesystem::remove_all(path); }
    std::filesystem::path operator/(const char* name) const { return path / name; }
};

/// A samples file of a run that never was: `n` answers of 1, 2, ... n ms.
void write_samples(const std::filesystem::path& path, core::WallTime started, int n, bool complete,
                   std::uint32_t max_in_flight = 200) {
    loadgen::Scenario scenario = loadgen::baseline_scenario();
    scenario.max_in_flight = max_in_flight;
    loadgen::RunFacts facts = loadgen::begin_facts(scenario, *loadgen::make_target("http://127.0.0.1:1", ""), started);
    facts.report.real = seconds{10};
    facts.report.planned = seconds{10};
    facts.complete = complete;
    const auto count = static_cast<std::uint64_t>(n);
    facts.claims.non_stream = {count, count};
    facts.report.generator.offered = count;
    facts.report.generator.achieved = metrics::Ratio{count, count};
    facts.report.generator.lag_p50 = std::chrono::microseconds{50};
    facts.report.generator.lag_p99 = std::chrono::microseconds{100};
    facts.report.generator.lag_max = std::chrono::microseconds{n};
    facts.report.generator.cpu_bp = n;
    facts.report.errors = {{.outcome = metrics::Outcome::timeout,
                            .count = count,
                            .examples = {{.message = "late \"x\"", .count = 2, .http_status = 200}}}};
    facts.report.warnings = {{.name = "no_done", .count = 3, .text = "t"}};
    auto writer = metrics::SamplesWriter::create(path, loadgen::write_header(facts));
    REQUIRE(writer.has_value());
    for (int i = 1; i <= n; ++i) writer->add(metrics::Sample{.start_us = i, .response_us = i * 1000});
    REQUIRE(writer->finish().has_value());
}

const core::WallTime kStart = core::WallTime{seconds{1'770'000'000}};

}  // namespace

TEST_CASE("a run's report and the one made of its samples file are the same") {
    RawServer server([](unsigned request, const std::string&) {
        const std::string body = R"({"status":"completed","output":[]})";
        const bool fails = request % 3 == 2;
        return RawServer::Reply{.bytes = std::string("HTTP/1.1 ") + (fails ? "500 No" : "200 OK") +
                                         "\r\ncontent-type: application/json\r\ncontent-length: " +
                                         std::to_string(body.size()) + "\r\n\r\n" + body};
    });
    const Folder folder;
    const auto target = loadgen::make_target(server.url(), "");
    const auto done = loadgen::run_baseline(SmallRun{.count = 6}.scenario(), *target, {}, folder.path);
    REQUIRE(done.has_value());
    for (const char* name : {"report.json", "report.md", "report.html", "samples.oais"})
        CHECK(std::filesystem::exists(done->folder / name));
    const std::vector<std::filesystem::path> files{done->folder / "samples.oais"};
    const auto again = loadgen::report_from_samples(files);
    REQUIRE(again.has_value());
    CHECK(block_of(again->tally) == block_of(done->report.tally));
    CHECK(again->tally.counts().outcome(metrics::Outcome::http_5xx) == 2);
    CHECK(again->exact == done->report.exact);
    CHECK(report::write_json(*again) == report::write_json(done->report));
    CHECK(loadgen::last_line(*again) == loadgen::last_line(done->report));
    std::ifstream json(done->folder / "report.json");
    const std::string document{std::istreambuf_iterator<char>(json), {}};
    CHECK(document == report::write_json(*again));
    CHECK(document.find(block_of(again->tally)) != std::string::npos);
}

TEST_CASE("the header survives writing and reading") {
    const Folder folder;
    write_samples(folder / "a", kStart, 4, true);
    const std::vector<std::filesystem::path> files{folder / "a"};
    const auto report = loadgen::report_from_samples(files);
    REQUIRE(report.has_value());
    CHECK(report->started == kStart);
    CHECK(report->scenario.streams.size() == 2);
    CHECK(report->scenario.streams[0].rate == metrics::Ratio{8, 1});
    CHECK(report->generator.lag_p99 == std::chrono::microseconds{100});
    CHECK(report->generator.cpu_bp == 4);
    CHECK_FALSE(report->generator.rss_bytes.has_value());
    REQUIRE(report->errors.size() == 1);
    CHECK(report->errors[0].examples[0].message == "late \"x\"");
    CHECK(report->errors[0].examples[0].http_status == 200);
    CHECK(report->warnings[0].count == 3);
    CHECK(report->config_hash.size() == 64);
}

TEST_CASE("files of one scenario merge exactly, and what cannot be merged is left out") {
    const Folder folder;
    write_samples(folder / "a", kStart, 10, true);
    write_samples(folder / "b", kStart + seconds{3600}, 30, true);
    write_samples(folder / "c", kStart + seconds{5}, 20, true);
    const std::vector<std::filesystem::path> files{folder / "a", folder / "b", folder / "c"};
    const auto merged = loadgen::report_from_samples(files);
    REQUIRE(merged.has_value());
    metrics::Tally pooled;
    for (const int n : {10, 30, 20}) {
        for (int i = 1; i <= n; ++i) pooled.add(metrics::Sample{.start_us = i, .response_us = i * 1000});
    }
    CHECK(block_of(merged->tally) == block_of(pooled));
    CHECK(merged->real == seconds{25});  // a and c overlap by half, b ran an hour later
    CHECK(merged->started == kStart);
    CHECK(merged->generator.offered == 60);
    CHECK_FALSE(merged->generator.lag_p99.has_value());
    CHECK(merged->generator.lag_max == std::chrono::microseconds{30});
    CHECK(merged->generator.cpu_bp == 30);
    CHECK(merged->warnings[0].count == 9);
    CHECK(merged->errors[0].count == 60);
    REQUIRE_FALSE(merged->notes.empty());
    CHECK(merged->notes[0].starts_with("merged from 3 runs:"));
}

TEST_CASE("what must not be merged is refused") {
    const Folder folder;
    write_samples(folder / "a", kStart, 10, true);
    write_samples(folder / "other", kStart, 10, true, 199);
    const auto error_of = [](const std::vector<std::filesystem::path>& files) {
        const auto report = loadgen::report_from_samples(files);
        return report ? std::string() : report.error().detail;
    };
    CHECK(error_of({folder / "a", folder / "a"}).find("given twice") != std::string::npos);
    CHECK(error_of({folder / "a", folder / "other"}).find("only runs of one scenario") != std::string::npos);
    CHECK(error_of({folder / "absent"}).find("absent") != std::string::npos);
    CHECK_FALSE(error_of({}).empty());
    auto writer = metrics::SamplesWriter::create(folder / "alien", R"({"schema":"something/2"})");
    REQUIRE(writer->finish().has_value());
    CHECK(error_of({folder / "alien"}).find("\"schema\" must be oai.samples/1") != std::string::npos);
}

TEST_CASE("the file of a killed run is reported as far as it goes, and is invalid") {
    const Folder folder;
    write_samples(folder / "a", kStart, 10, false);
    {
        std::ofstream tail(folder / "a", std::ios::app | std::ios::binary);
        tail << "half a block";
    }
    const std::vector<std::filesystem::path> files{folder / "a"};
    const auto report = loadgen::report_from_samples(files);
    REQUIRE(report.has_value());
    CHECK(report->tally.counts().offered == 10);
    CHECK(report->tally.counts().identity_holds());
    CHECK_FALSE(report->generator.valid);
    CHECK(loadgen::last_line(*report).find("invalid=incomplete") != std::string::npos);
    CHECK(report::exit_code(*report) == 3);
    CHECK(report->real == std::chrono::microseconds{10'010});
    REQUIRE(report->notes.size() == 1);
    CHECK(report->notes[0].find("12 bytes") != std::string::npos);
}
