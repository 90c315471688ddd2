#include "metrics/block.hpp"

#include <fstream>
#include <random>
#include <string>

#include <doctest/doctest.h>

using namespace oai::metrics;
using oai::json::Value;
using oai::json::Writer;

namespace {

template <class T>
std::string block_of(const T& tally) {
    Writer out;
    write_block(out, tally);
    return out.take();
}

std::vector<Sample> random_samples(std::size_t n) {
    std::mt19937_64 random(5);
    std::vector<Sample> samples(n);
    for (Sample& s : samples) {
        const auto us = [&] { return static_cast<std::int64_t>(random() >> (31 + random() % 33)); };
        s = {.response_us = us(),
             .service_us = us(),
             .ttfb_us = us(),
             .ttft_us = us(),
             .tpot_us = us(),
             .queue_us = us()};
        s.outcome = static_cast<Outcome>(random() % kOutcomes);
        s.owner = static_cast<Owner>(random() % 4);
        s.stream = random() % 3 == 0;
        s.late = random() % 10 == 0;
        s.upstream_failed = random() % 10 == 0;
        s.output_tokens = static_cast<std::uint32_t>(random() % 100);
    }
    return samples;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("the metric block of a few samples, byte for byte") {
    Tally tally;
    tally.add({.response_us = 3'000'001,
               .service_us = 2'999'000,
               .ttfb_us = 5'000,
               .ttfe_us = 6'000,
               .ttft_us = 900'000,
               .tpot_us = 20'000,
               .input_tokens = 12,
               .output_tokens = 32,
               .http_status = 200,
               .stream = true});
    tally.add({.response_us = 180'000'000,
               .outcome = Outcome::timeout,
               .owner = Owner::upstream,
               .stream = true,
               .upstream_failed = true});
    tally.add({.response_us = 0, .outcome = Outcome::ok});
    tally.add_gap(microseconds{21'000});
    Writer out(Writer::Layout::pretty);
    write_block(out, tally);
    const std::string path = std::string(OAI_SOURCE_DIR) + "/tests/golden/metrics/block.json";
    if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path) << out.text() << "\n";
    std::ifstream file(path);
    const std::string golden((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    CHECK(out.text() + "\n" == golden);
}

TEST_CASE("writing, reading and writing again gives the same bytes") {
    Tally tally;
    const std::string empty = block_of(tally);
    CHECK(block_of(*read_block(*Value::parse(empty))) == empty);
    for (const Sample& s : random_samples(3000)) tally.add(s);
    const std::string text = block_of(tally);
    const auto read = read_block(*Value::parse(text));
    REQUIRE(read);
    CHECK(block_of(*read) == text);
}

TEST_CASE("the same samples give the same bytes from a run, from slots of a gateway, and from merged documents") {
    const std::vector<Sample> samples = random_samples(1000);
    Tally run, window, documents;
    std::vector<SlotTally> slots(7);
    std::vector<Tally> reports(2);
    for (std::size_t i = 0; i < samples.size(); ++i) {
        run.add(samples[i]);
        slots[i % slots.size()].add(samples[i]);
        reports[i % reports.size()].add(samples[i]);
    }
    for (const SlotTally& slot : slots) window.merge(slot);
    for (const Tally& report : reports) documents.merge(*read_block(*Value::parse(block_of(report))));
    CHECK(block_of(window) == block_of(run));
    CHECK(block_of(documents) == block_of(run));
}

TEST_CASE("a block from before a metric was known reads as one without data for it") {
    Tally tally;
    tally.add({.response_us = 9});
    std::string text = block_of(tally);
    for (const Part part : {Part::whole, Part::stream, Part::non_stream}) {
        CAPTURE(static_cast<int>(part));
        text = replaced(text, "\"response\":", "\"not_invented_yet\":");
    }
    const auto read = read_block(*Value::parse(text));
    REQUIRE(read);
    CHECK(read->histogram(Duration::response).count() == 0);
    CHECK(read->histogram(Duration::response_penalised).count() == 1);
}

TEST_CASE("a block that is not whole is refused, and the message says where") {
    Tally tally;
    tally.add({.response_us = 7, .ttft_us = 3, .stream = true});
    tally.add({.response_us = 9});
    const std::string good = block_of(tally);
    struct Row {
        const char *from, *to, *want;
    };
    const Row rows[] = {
        {"oai.metrics/1", "oai.metrics/2", "oai.metrics/1: schema must be \"oai.metrics/1\""},
        {"\"stream\":", "\"streams\":", "oai.metrics/1: stream is missing"},
        {"\"buckets\":[[7,1]]", "\"buckets\":[[7,2]]",
         "oai.metrics/1: stream.durations.response.n must be the sum of the buckets"},
        {"\"buckets\":[[7,1]]", "\"buckets\":[[8,1]]",
         "oai.metrics/1: stream.durations.response is not whole: a histogram needs its least and greatest value in its "
         "first and last bucket"},
        {"\"buckets\":[[7,1]]", "\"buckets\":[[7]]",
         "oai.metrics/1: stream.durations.response.buckets must be an array of pairs"},
        {"\"buckets\":[[7,1]]", "\"buckets\":[[7,-1]]",
         "oai.metrics/1: stream.durations.response.buckets must be a whole number, not negative"},
        {"\"offered\":2", "\"offered\":3", "oai.metrics/1: whole must be the sum of its two halves"},
        {"[[\"ttft\",900000]]", "[[\"tfft\",900000]]",
         "oai.metrics/1: goodput_limits must be null or pairs of a duration's name and microseconds"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.to);
        const auto read = read_block(*Value::parse(replaced(good, row.from, row.to)));
        REQUIRE_FALSE(read);
        CHECK(read.error().detail == row.want);
    }
    for (const char* text : {"{}", "[]", "1", "null"}) CHECK_FALSE(read_block(*Value::parse(text)));
}

TEST_CASE("attempts are in the block of whoever made some, and in no other") {
    Tally tally;
    tally.add({.response_us = 7, .stream = true});
    CHECK(block_of(tally).find("attempt") == std::string::npos);
    tally.add_attempts({.stream = true, .count = 3, .failed = 1});
    tally.add_attempts({.count = 2, .failed = 2});
    const auto read = read_block(*Value::parse(block_of(tally)));
    REQUIRE(read);
    CHECK(read->counts(Part::stream).attempts == 3);
    CHECK(read->counts(Part::stream).attempt_failures == 1);
    CHECK(read->counts().attempts == 5);
    CHECK(block_of(*read) == block_of(tally));
}
