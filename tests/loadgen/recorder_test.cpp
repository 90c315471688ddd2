#include "loadgen/recorder.hpp"

#include <unistd.h>

#include <doctest/doctest.h>

using oai::loadgen::ErrorLog;
using oai::loadgen::Recorder;
using oai::metrics::Outcome;

TEST_CASE("an error log keeps few examples and counts all") {
    ErrorLog log;
    for (int i = 0; i < 100; ++i) log.add(Outcome::http_5xx, 500, "request req_" + std::to_string(i) + " failed");
    log.add(Outcome::http_5xx, 500, "request req_3 failed", 7);
    log.add(Outcome::timeout, 0, "timeout");
    const auto classes = log.classes();
    REQUIRE(classes.size() == 2);
    CHECK(classes[0].outcome == Outcome::http_5xx);
    CHECK(classes[0].count == 107);
    CHECK(classes[0].examples.size() == ErrorLog::kExamplesPerOutcome);
    CHECK(classes[0].examples.front().message == "request req_3 failed");
    CHECK(classes[0].examples.front().count == 8);
    CHECK(classes[1].outcome == Outcome::timeout);

    ErrorLog sum;
    sum.merge(log);
    sum.merge(log);
    CHECK(sum.classes()[0].count == 214);
    CHECK(sum.classes()[0].examples.front().count == 16);
    CHECK(sum.classes()[1].count == 2);
}

TEST_CASE("a recorder's file grows during the run and gets its last header at the end") {
    const std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("oai-recorder-" + std::to_string(::getpid()) + ".oais");
    auto recorder = Recorder::create(path, R"({"begin":1})");
    REQUIRE(recorder.has_value());
    const auto read = [&](std::string& header) {
        auto reader = oai::metrics::SamplesReader::open(path);
        REQUIRE(reader.has_value());
        header = reader->header();
        std::uint64_t samples = 0, gaps = 0;
        const auto done = reader->read([&](auto s) { samples += s.size(); }, [&](auto g) { gaps += g.size(); });
        REQUIRE(done.has_value());
        CHECK(done->ignored_bytes == 0);
        return std::pair(samples, gaps);
    };
    oai::loadgen::Batch batch;
    batch.samples.resize(3);
    batch.gaps.resize(2);
    recorder->take(batch);
    REQUIRE(recorder->flush().has_value());
    std::string header;
    CHECK(read(header) == std::pair<std::uint64_t, std::uint64_t>(3, 2));
    CHECK(header == R"({"begin":1})");
    recorder->take(batch);
    REQUIRE(recorder->finish(R"({"begin":1,"end":2})").has_value());
    CHECK(read(header) == std::pair<std::uint64_t, std::uint64_t>(6, 4));
    CHECK(header == R"({"begin":1,"end":2})");
    CHECK(recorder->totals().tally.counts().offered == 6);
    CHECK_FALSE(std::filesystem::exists(path.string() + ".tmp"));
    std::filesystem::remove(path);
    CHECK_FALSE(Recorder::create("/nonexistent/x.oais", "{}").has_value());
}
