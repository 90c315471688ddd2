#include "http/chunked.hpp"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "http/splits.hpp"

using namespace oai::http;
using namespace std::literals;
using oai::core::Code;
using oai::core::Source;
using oai::http::test::same_for_every_split;

namespace {

using Status = ChunkedDecoder::Status;

/// "payload @consumed", "payload..." while more is needed, or what was wrong after the payload so far.
std::string decode(const std::vector<std::string>& pieces, ChunkedLimits limits = {}) {
    ChunkedDecoder decoder(Source::downstream, limits);
    std::string payload;
    std::size_t consumed = 0;
    for (const std::string& piece : pieces) {
        // A block of exactly its size: a read beyond it is caught.
        const std::unique_ptr<char[]> block(new char[piece.size()]);
        piece.copy(block.get(), piece.size());
        std::string_view in{block.get(), piece.size()};
        while (true) {
            const ChunkedDecoder::Step step = decoder.feed(in);
            REQUIRE(step.consumed <= in.size());
            if (step.status == Status::payload) {
                REQUIRE_FALSE(step.payload.empty());
                REQUIRE(step.payload.data() + step.payload.size() == in.data() + step.consumed);
            } else {
                CHECK(step.payload.empty());
            }
            payload += step.payload;
            consumed += step.consumed;
            in.remove_prefix(step.consumed);
            if (step.status == Status::payload) continue;
            CHECK(decoder.done() == (step.status == Status::done));
            CHECK(decoder.payload_bytes() == payload.size());
            if (step.status == Status::done) return payload + " @" + std::to_string(consumed);
            if (step.status == Status::malformed) {
                CHECK(decoder.error().code == Code::malformed_http);
                CHECK(decoder.feed("0\r\n\r\n").status == Status::malformed);
                return payload + " bad: " + decoder.error().detail;
            }
            REQUIRE(in.empty());
            break;
        }
    }
    return payload + "...";
}

std::string decode_of(std::string_view input, ChunkedLimits limits = {}) {
    return same_for_every_split(input, [&](const auto& pieces) { return decode(pieces, limits); });
}

}  // namespace

TEST_CASE("a chunked body is read strictly, however it arrives") {
    struct Row {
        const char* name;
        std::string_view input;
        std::string_view want;
    };
    constexpr std::string_view no_size = " bad: chunked body: a chunk does not begin with its size in hex digits";
    constexpr std::string_view after_size =
        " bad: chunked body: a chunk size is followed by something else than CRLF or a semicolon";
    constexpr std::string_view size_end = " bad: chunked body: the line of a chunk size does not end with CRLF";
    constexpr std::string_view extension =
        " bad: chunked body: a chunk extension holds a bare LF, a NUL or another control character";
    constexpr std::string_view no_name = "a bad: chunked body: a trailer line does not begin with a name";
    constexpr std::string_view no_colon = "a bad: chunked body: a trailer line has no colon after its name";
    constexpr std::string_view trailer_end = "a bad: chunked body: a trailer line does not end with CRLF";
    const Row rows[] = {
        {"one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello @15"},
        {"two chunks", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world @26"},
        {"no data", "0\r\n\r\n", " @5"},
        {"the next message is left alone", "1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n", "a @11"},
        {"hex in both cases", "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789 @35"},
        {"data that looks like chunks", "7\r\n0\r\n\r\n5\r\r\n0\r\n\r\n", "0\r\n\r\n5\r @17"},
        {"leading zeros up to 16 digits", "0000000000000001\r\na\r\n0000000000000000\r\n\r\n", "a @41"},
        {"17 digits", "00000000000000001\r\na\r\n0\r\n\r\n",
         " bad: chunked body: a chunk size has more than 16 digits"},
        {"2^63 - 1 is still to come", "7fffffffffffffff\r\nabc", "abc..."},
        {"2^63", "8000000000000000\r\nabc", " bad: chunked body: the chunk sizes add up to 2^63 or more"},
        {"2^64 - 1", "ffffffffffffffff\r\nabc", " bad: chunked body: the chunk sizes add up to 2^63 or more"},
        {"a sum of 2^63", "1\r\na\r\n7fffffffffffffff\r\nabc",
         "a bad: chunked body: the chunk sizes add up to 2^63 or more"},
        {"no size", "\r\nhello", no_size},
        {"a sign", "+5\r\nhello", no_size},
        {"a negative size", "-1\r\nhello", no_size},
        {"0x", "0x5\r\nhello", after_size},
        {"a blank before the size", " 5\r\nhello", no_size},
        {"a blank after the size", "5 \r\nhello", after_size},
        {"an underscore", "1_0\r\nhello", after_size},
        {"a letter beyond f", "5g\r\nhello", after_size},
        {"only an extension", ";a\r\nhello", no_size},
        {"a NUL", "5\0\r\nhello"sv, after_size},
        {"a bare LF after the size", "5\nhello\r\n0\r\n\r\n", after_size},
        {"a bare CR after the size", "5\rhello", size_end},
        {"CR CR LF", "5\r\r\nhello", size_end},
        {"an extension", "5;a=b;c=\"d e\"\r\nhello\r\n0;x\r\n\r\n", "hello @29"},
        {"a bare LF in an extension", "5;a\nhello", extension},
        {"a NUL in an extension", "5;a\0\r\nhello"sv, extension},
        {"a bare CR in an extension", "5;a\rb\r\nhello", size_end},
        {"a tab in an extension", "1;\ta\r\nx\r\n0\r\n\r\n", "x @14"},
        {"data too long", "5\r\nhello!\r\n0\r\n\r\n",
         "hello bad: chunked body: a chunk is longer than its size says: CRLF is missing after its data"},
        {"data too short", "5\r\nhell\r\n0\r\n\r\n",
         "hell\r bad: chunked body: a chunk is longer than its size says: CRLF is missing after its data"},
        {"a bare LF after the data", "5\r\nhello\n0\r\n\r\n",
         "hello bad: chunked body: a chunk is longer than its size says: CRLF is missing after its data"},
        {"a bare CR after the data", "5\r\nhello\r0\r\n\r\n",
         "hello bad: chunked body: the data of a chunk is not followed by CRLF"},
        {"trailers", "1\r\na\r\n0\r\nx: y\r\nContent-Length:7\r\n\r\nrest", "a @35"},
        {"an empty trailer value", "1\r\na\r\n0\r\nx:\r\n\r\n", "a @15"},
        {"a trailer without a name", "1\r\na\r\n0\r\n: y\r\n\r\n", no_name},
        {"a folded trailer", "1\r\na\r\n0\r\nx: y\r\n z\r\n\r\n", no_name},
        {"a bare LF for the end", "1\r\na\r\n0\r\n\n", no_name},
        {"a trailer without a colon", "1\r\na\r\n0\r\nxy\r\n\r\n", no_colon},
        {"a blank before the colon", "1\r\na\r\n0\r\nx : y\r\n\r\n", no_colon},
        {"a bare LF in a trailer", "1\r\na\r\n0\r\nx: y\n\r\n",
         "a bad: chunked body: a trailer holds a bare LF, a NUL or another control character"},
        {"a NUL in a trailer", "1\r\na\r\n0\r\nx: \0\r\n\r\n"sv,
         "a bad: chunked body: a trailer holds a bare LF, a NUL or another control character"},
        {"a bare CR in a trailer", "1\r\na\r\n0\r\nx: y\rz\r\n\r\n", trailer_end},
        {"a bare CR for the end", "1\r\na\r\n0\r\n\rGET", trailer_end},
        {"a second message in place of the end", "1\r\na\r\n0\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", no_colon},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        CHECK(decode_of(row.input) == row.want);
    }
}

TEST_CASE("a body that is not over needs more") {
    const std::string body = "5;a\r\nhello\r\n0\r\nx: y\r\n\r\n";
    for (std::size_t size = 0; size < body.size(); ++size) {
        CAPTURE(size);
        const std::string got = decode({body.substr(0, size)});
        CHECK(got.substr(got.size() - 3) == "...");
    }
}

TEST_CASE("extensions may not outgrow the payload, and trailers are bounded") {
    const ChunkedLimits limits{.max_extension_bytes = 10, .max_trailer_bytes = 8};
    CHECK(decode_of("1;123456789\r\na\r\n0;1\r\n\r\n", limits) == "a @23");
    const std::string too_long = "the chunk extensions are longer than the payload justifies";
    CHECK(decode_of("1;12345678901\r\na", limits) == " bad: chunked body: " + too_long);
    CHECK(decode_of("1;123456789\r\na\r\n1;123\r\na", limits) == "a bad: chunked body: " + too_long);
    CHECK(decode_of("5;123456789\r\nhello\r\n1;12345\r\na\r\n0\r\n\r\n", limits) == "helloa @37");
    CHECK(decode_of("0\r\nx: y\r\n\r\n", limits) == " @11");
    CHECK(decode_of("0\r\nx: yz\r\n\r\n", limits) == " bad: chunked body: the trailers are too long");
    CHECK(decode({"0\r\nx:" + std::string(9000, 'y')}) == " bad: chunked body: the trailers are too long");
}

TEST_CASE("an upstream's fault is told from a caller's, and reset makes ready for the next body") {
    ChunkedDecoder decoder(Source::upstream);
    CHECK(decoder.feed("1\r\na").status == Status::payload);
    CHECK(decoder.feed("x").status == Status::malformed);
    CHECK(decoder.error().code == Code::upstream_malformed);
    CHECK(decoder.error().source == Source::upstream);
    decoder.reset();
    CHECK(decoder.payload_bytes() == 0);
    CHECK(decoder.feed("0\r\n\r\n").status == Status::done);
    CHECK(decoder.feed("more").consumed == 0);
    decoder.reset();
    CHECK(decoder.feed("x").status == Status::malformed);
    CHECK(decoder.error().code == Code::upstream_malformed);
}

TEST_CASE("what is written is what is read") {
    struct Row {
        std::size_t size;
        std::string_view want;
    };
    const Row rows[] = {{1, "1\r\n"},    {15, "f\r\n"},      {16, "10\r\n"},
                        {175, "af\r\n"}, {8000, "1f40\r\n"}, {~std::size_t{0}, "ffffffffffffffff\r\n"}};
    for (const Row& row : rows) {
        std::array<char, kMaxChunkHeader> out{};
        CHECK(std::string_view(out.data(), write_chunk_header(out.data(), row.size)) == row.want);
    }
    oai::http::test::Random random(7);
    for (int round = 0; round < 50; ++round) {
        std::string body, coded;
        for (std::size_t chunks = random.below(6); chunks > 0; --chunks) {
            std::array<char, kMaxChunkHeader> header{};
            const std::string data(1 + random.below(5000), static_cast<char>('a' + random.below(26)));
            coded.append(header.data(), write_chunk_header(header.data(), data.size())).append(data).append(kChunkEnd);
            body += data;
        }
        coded += kLastChunk;
        CHECK(decode(random_pieces(coded, random)) == body + " @" + std::to_string(coded.size()));
    }
}

TEST_CASE("no mutation crashes the decoder, and how it arrives changes nothing") {
    const std::string body = "5;a=b\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nx: y\r\n\r\nGET";
    oai::http::test::Random random(20260213);
    for (int round = 0; round < 4000; ++round) {
        const std::string input = mutate(body, random);
        const ChunkedLimits limits{.max_extension_bytes = random.below(20), .max_trailer_bytes = random.below(20)};
        CAPTURE(input);
        CHECK(decode(random_pieces(input, random), limits) == decode({input}, limits));
    }
}
