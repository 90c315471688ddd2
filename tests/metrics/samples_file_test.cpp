#include "metrics/samples_file.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>

#include <doctest/doctest.h>

using namespace oai::metrics;
namespace fs = std::filesystem;

namespace {

/// A file name that goes away with the test.
struct TempFile {
    fs::path path = fs::temp_directory_path() / ("oai_samples_" + std::to_string(::getpid()) + ".oais");
    ~TempFile() { fs::remove(path); }
    std::string bytes() const {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    }
    void write(std::string_view bytes) const { std::ofstream(path, std::ios::binary) << bytes; }
};

Sample sample_number(int i) {
    return {.start_us = i,
            .response_us = 3'600'000'000LL + i,
            .ttft_us = i % 2 ? i : -1,
            .stream_id = 7,
            .input_tokens = 1,
            .output_tokens = 0xFFFFFFFF,
            .http_status = 599,
            .outcome = static_cast<Outcome>(i % static_cast<int>(kOutcomes)),
            .owner = static_cast<Owner>(i % 4),
            .stream = i % 2 == 0,
            .token_limited = i % 3 == 0,
            .business_limited = i % 5 == 0,
            .upstream_failed = i % 7 == 0,
            .upstream_throttled = i % 11 == 0,
            .late = i % 13 == 0};
}

struct Content {
    std::vector<Sample> samples;
    std::vector<Gap> gaps;
    SamplesRead sum;
};

oai::core::Result<Content> read_all(const fs::path& path) {
    auto reader = SamplesReader::open(path);
    if (!reader) return reader.error();
    Content content;
    const auto sum =
        reader->read([&](auto block) { content.samples.insert(content.samples.end(), block.begin(), block.end()); },
                     [&](auto block) { content.gaps.insert(content.gaps.end(), block.begin(), block.end()); });
    if (!sum) return sum.error();
    content.sum = *sum;
    return content;
}

/// A file of two blocks: 3 samples, then 2 gaps. Head 16 + 2 bytes of header; then 16 + 288, and 16 + 48 bytes.
void write_small(const fs::path& path) {
    auto writer = SamplesWriter::create(path, "{}");
    REQUIRE(writer);
    for (int i = 0; i < 3; ++i) writer->add(sample_number(i));
    writer->add(Gap{.at_us = 5, .gap_us = 6, .stream_id = 1});
    writer->add(Gap{.at_us = 7, .gap_us = 0, .stream_id = 2});
    REQUIRE(writer->finish());
}

}  // namespace

TEST_CASE("samples and gaps come back as they were written, over block borders") {
    TempFile file;
    {
        auto writer = SamplesWriter::create(file.path, R"({"run":"r1"})");
        REQUIRE(writer);
        for (int i = 0; i < 10'000; ++i) writer->add(sample_number(i));
        for (int i = 0; i < 5'000; ++i) writer->add(Gap{.at_us = i, .gap_us = i * 2, .stream_id = 9});
        REQUIRE(writer->finish());
    }
    CHECK(SamplesReader::open(file.path)->header() == R"({"run":"r1"})");
    const auto content = read_all(file.path);
    REQUIRE(content);
    CHECK(content->sum.samples == 10'000);
    CHECK(content->sum.gaps == 5'000);
    CHECK(content->sum.ignored_bytes == 0);
    for (int i = 0; i < 10'000; ++i) REQUIRE(content->samples[static_cast<std::size_t>(i)] == sample_number(i));
    CHECK(content->gaps[4'999] == Gap{4'999, 9'998, 9});
}

TEST_CASE("the layout is the one of docs/samples-format.md") {
    TempFile file;
    {
        auto writer = SamplesWriter::create(file.path, "{}");
        REQUIRE(writer);
        writer->add(Sample{.start_us = 0x0102030405060708,
                           .response_us = -1,
                           .overhead_us = 2,
                           .stream_id = 3,
                           .input_tokens = 4,
                           .output_tokens = 5,
                           .http_status = 0x1234,
                           .outcome = Outcome::truncated,
                           .owner = Owner::upstream,
                           .stream = true,
                           .late = true});
        REQUIRE(writer->finish());
    }
    const std::string bytes = file.bytes();
    REQUIRE(bytes.size() == 16 + 2 + 16 + 96);
    using namespace std::string_literals;
    CHECK(bytes.substr(0, 12) == "OAIS\x01\0\0\0\x02\0\0\0"s);
    CHECK(bytes.substr(16, 2) == "{}");
    CHECK(bytes.substr(18, 8) == "\x01\0\0\0\x01\0\0\0"s);
    const std::string record = bytes.substr(34);
    CHECK(record.substr(0, 16) == "\x08\x07\x06\x05\x04\x03\x02\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s);
    CHECK(record.substr(64, 32) ==
          "\x02\0\0\0\0\0\0\0\x03\0\0\0\x04\0\0\0\x05\0\0\0\x34\x12\x09\x03\x21\0\0\0\0\0\0\0"s);
}

TEST_CASE("a cut file reads to its last whole block and says how much was ignored") {
    TempFile file;
    write_small(file.path);
    const std::string whole = file.bytes();
    REQUIRE(whole.size() == 18 + 304 + 64);
    for (std::size_t size = 18; size <= whole.size(); ++size) {
        CAPTURE(size);
        file.write(std::string_view(whole).substr(0, size));
        const auto content = read_all(file.path);
        REQUIRE(content);
        CHECK(content->sum.samples == (size >= 18 + 304 ? 3 : 0));
        CHECK(content->sum.gaps == (size == whole.size() ? 2 : 0));
        const std::size_t kept = size == whole.size() ? size : size >= 18 + 304 ? 18 + 304 : 18;
        CHECK(content->sum.ignored_bytes == size - kept);
    }
    for (std::size_t size = 0; size < 18; ++size) {
        CAPTURE(size);
        file.write(std::string_view(whole).substr(0, size));
        CHECK_FALSE(SamplesReader::open(file.path));
    }
}

TEST_CASE("every flipped byte is found, and the message says where") {
    TempFile file;
    write_small(file.path);
    const std::string whole = file.bytes();
    for (std::size_t at = 0; at < whole.size(); ++at) {
        CAPTURE(at);
        std::string damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
        file.write(damaged);
        CHECK_FALSE(read_all(file.path));
    }
    std::string damaged = whole;
    damaged[18 + 304 + 20] ^= 1;
    file.write(damaged);
    CHECK(read_all(file.path).error().detail ==
          file.path.string() + ": damaged at byte 322: records that do not match their checksum");
}

TEST_CASE("what is no samples file is refused with the reason") {
    TempFile file;
    CHECK(SamplesReader::open(file.path).error().detail ==
          file.path.string() + ": cannot open: No such file or directory");
    file.write("{\"schema\":\"oai.metrics/1\"}");
    CHECK(SamplesReader::open(file.path).error().detail ==
          file.path.string() + ": not a samples file: it must begin with \"OAIS\"");
    file.write(std::string_view("OAIS\x02\0\0\0\0\0\0\0\0\0\0\0", 16));
    CHECK(SamplesReader::open(file.path).error().detail ==
          file.path.string() + ": samples format 2; this program reads format 1");
    CHECK_FALSE(SamplesWriter::create("/nonexistent/x.oais", "{}"));
}

TEST_CASE("a full disk is told") {
    const auto writer = SamplesWriter::create("/dev/full", "{}");
    REQUIRE_FALSE(writer);
    CHECK(writer.error().detail == "/dev/full: cannot write: No space left on device");
}
