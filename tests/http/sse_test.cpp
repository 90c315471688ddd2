#include "http/sse.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "http/splits.hpp"

using namespace oai::http;
using namespace std::literals;
using oai::core::Code;
using oai::http::test::same_for_every_split;

namespace {

/// All that came out: "[name|data|id]" or "[:]" for each event and comment, then how it ended.
std::string read(const std::vector<std::string>& pieces, std::size_t limit = SseReader::kMaxEventBytes) {
    SseReader reader(limit);
    std::string text;
    for (const std::string& piece : pieces) {
        // A block of exactly its size, gone after the feed: a view that is kept too long is caught.
        const std::unique_ptr<char[]> block(new char[piece.size()]);
        piece.copy(block.get(), piece.size());
        const std::string_view bytes{block.get(), piece.size()};
        std::size_t last_end = 0;
        const auto fed = reader.feed(bytes, [&](const SseEvent& event) {
            CHECK(event.begin_offset <= event.end_offset);
            CHECK(event.end_offset <= bytes.size());
            CHECK(last_end <= event.end_offset);
            last_end = event.end_offset;
            if (event.data_in_feed && !event.data.empty()) {
                CHECK(event.data.data() >= bytes.data());
                CHECK(event.data.data() + event.data.size() <= bytes.data() + bytes.size());
            }
            if (event.whole) CHECK(event.end_offset > event.begin_offset);
            if (event.is_comment) {
                CHECK(event.data.empty());
                text += "[:]";
                return;
            }
            text.append("[").append(event.name).append("|").append(event.data).append("|").append(event.id).append("]");
        });
        if (!fed) {
            CHECK(fed.error().code == Code::upstream_malformed);
            CHECK_FALSE(
                reader.feed("data: x\n\n", [](const SseEvent&) { FAIL("an event after an error"); }).has_value());
            return text + " too long";
        }
    }
    if (reader.retry()) text += " retry " + std::to_string(reader.retry()->count());
    if (!reader.between_events()) text += " within";
    if (reader.finish()) text += " cut";
    return text;
}

std::string read_of(std::string_view input, std::size_t limit = SseReader::kMaxEventBytes) {
    return same_for_every_split(input, [&](const auto& pieces) { return read(pieces, limit); });
}

std::string with_line_ends(std::string_view text, std::string_view end) {
    std::string changed;
    for (const char c : text) c == '\n' ? changed += end : changed += c;
    return changed;
}

}  // namespace

TEST_CASE("events are read as the standard says, with every line end and however they arrive") {
    struct Row {
        const char* name;
        std::string_view input;
        std::string_view want;
    };
    const Row rows[] = {
        {"data alone", "data: a\n\n", "[|a|]"},
        {"a name and data", "event: n\ndata: {\"a\":1}\n\n", "[n|{\"a\":1}|]"},
        {"the name after the data", "data: a\nevent: n\n\n", "[n|a|]"},
        {"the last name counts, for one event", "event: m\nevent: n\ndata: a\n\ndata: b\n\n", "[n|a|][|b|]"},
        {"one blank is taken off", "data:  a\n\ndata:b\n\ndata:\tc\n\n", "[| a|][|b|][|\tc|]"},
        {"lines are joined", "data: a\ndata: b\ndata:\ndata: c\n\n", "[|a\nb\n\nc|]"},
        {"joined with a name between", "data: a\nevent: n\ndata: b\n\n", "[n|a\nb|]"},
        {"an empty line of data is an event", "data:\n\ndata\n\n", "[||][||]"},
        {"two empty lines of data", "data\ndata\n\n", "[|\n|]"},
        {"without data there is none", "event: n\n\nid: 1\n\n\n\ndata: a\n\n", "[|a|1]"},
        {"a name does not outlive its block", "event: n\n\ndata: a\n\n", "[|a|]"},
        {"the id stays", "id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n", "[|a|1][|b|1][|c|]"},
        {"an id with NUL is none", "id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n"sv, "[|a|1][|b|1]"},
        {"retry", "retry: 1500\n\n", " retry 1500"},
        {"retry that is no number", "retry: 15x\nretry: -1\nretry:\nretry: +5\nretry: 99999999999999999999\n\n", ""},
        {"comments", ": hi\n\ndata: a\n:\n\n:x\n", "[:][:][|a|][:]"},
        {"unknown fields", "foo: bar\ndata: a\ndatax: b\n DATA: c\nData: d\n\n", "[|a|]"},
        {"colons in a value", "data: a: b\nevent::n\n\n", "[:n|a: b|]"},
        {"the usual end", "data: [DONE]\n\n", "[|[DONE]|]"},
        {"bytes beyond ASCII and NUL", "data: \xC3\xA4\0\xFF\n\n"sv, "[|\xC3\xA4\0\xFF|]"sv},
        {"BOM",
         "\xEF\xBB\xBF"
         "data: a\n\n",
         "[|a|]"},
        {"only one BOM",
         "\xEF\xBB\xBF\xEF\xBB\xBF"
         "data: a\n\ndata: b\n\n",
         "[|b|]"},
        {"no BOM later",
         "\n\xEF\xBB\xBF"
         "data: a\n\n",
         ""},
        {"a BOM and an empty line", "\xEF\xBB\xBF\ndata: a\n\n", "[|a|]"},
        {"empty lines", "\n\n\n", ""},
        {"nothing", "", ""},
        {"cut in a name", "data: a\n\neve", "[|a|] within cut"},
        {"cut in data", "data: a\n\ndata: b", "[|a|] within cut"},
        {"cut before its empty line", "data: a\n\ndata: b\n", "[|a|] within cut"},
        {"cut in a comment", "data: a\n\n: b", "[|a|] within"},
        {"after a comment", "data: a\n\n: b\n", "[|a|][:]"},
        {"a comment within an event", "data: a\n: b\n", "[:] within cut"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        CHECK(read_of(row.input) == row.want);
        CHECK(read_of(with_line_ends(row.input, "\r\n")) == row.want);
        CHECK(read_of(with_line_ends(row.input, "\r")) == row.want);
    }
}

TEST_CASE("line ends may be mixed") {
    CHECK(read_of("data: a\r\ndata: b\rdata: c\n\r\n") == "[|a\nb\nc|]");
    CHECK(read_of("data: a\r\rdata: b\n\r") == "[|a|][|b|]");
    CHECK(read_of("data: a\r\n\r\ndata: b\r\n\n\r") == "[|a|][|b|]");
    CHECK(read_of("data: a\n\rdata: b\r\n\r\n") == "[|a|][|b|]");
}

TEST_CASE("an event within one feed is not copied, and its bytes are told") {
    const std::string first = "event: n\ndata: {\"a\":1}\n\n", comment = ": keep-alive\n", second = "data: b\r\n\r\n";
    const std::string bytes = first + comment + "\n" + second + "\nevent: none\n\n" + first + "data: 1\ndata: 2\n\n";
    struct Seen {
        std::size_t begin, end;
        bool whole, in_feed, comment;
    };
    std::vector<Seen> seen;
    SseReader reader;
    REQUIRE(reader
                .feed(bytes,
                      [&](const SseEvent& event) {
                          seen.push_back({event.begin_offset, event.end_offset, event.whole, event.data_in_feed,
                                          event.is_comment});
                          if (event.data_in_feed)
                              CHECK(bytes.substr(static_cast<std::size_t>(event.data.data() - bytes.data()), 1) ==
                                    event.data.substr(0, 1));
                      })
                .has_value());
    REQUIRE(seen.size() == 5);
    CHECK(bytes.substr(seen[0].begin, seen[0].end - seen[0].begin) == first);
    CHECK(bytes.substr(seen[1].begin, seen[1].end - seen[1].begin) == comment);
    CHECK(seen[1].comment);
    CHECK(bytes.substr(seen[2].begin, seen[2].end - seen[2].begin) == second);
    CHECK(bytes.substr(seen[3].begin, seen[3].end - seen[3].begin) == first);
    CHECK(seen[4].end == bytes.size());
    for (const std::size_t i : {0U, 2U, 3U}) CHECK(seen[i].in_feed);
    CHECK_FALSE(seen[4].in_feed);  // two lines had to be joined
    for (const Seen& event : seen) CHECK(event.whole);
}

TEST_CASE("an event that is cut ends in the feed that holds its end") {
    SseReader reader;
    int events = 0;
    const auto expect_none = [](const SseEvent&) { FAIL("too early"); };
    CHECK(reader.between_events());
    REQUIRE(reader.feed("event: n\ndata: he", expect_none).has_value());
    CHECK_FALSE(reader.between_events());
    REQUIRE(reader.feed("llo\n", expect_none).has_value());
    CHECK_FALSE(reader.between_events());
    REQUIRE(reader
                .feed("\ndata: b",
                      [&](const SseEvent& event) {
                          ++events;
                          CHECK(event.data == "hello");
                          CHECK(event.name == "n");
                          CHECK(event.end_offset == 1);
                          CHECK(event.begin_offset == 0);
                          CHECK_FALSE(event.whole);
                          CHECK_FALSE(event.data_in_feed);
                      })
                .has_value());
    CHECK(events == 1);
    CHECK(reader.finish());
    reader.reset();
    CHECK(reader.between_events());
    CHECK_FALSE(reader.finish());
    REQUIRE(reader
                .feed("data: c\r\n\r",
                      [&](const SseEvent& event) {
                          ++events;
                          CHECK(event.data == "c");
                          CHECK(event.end_offset == 10);
                      })
                .has_value());
    CHECK(events == 2);
    CHECK(reader.between_events());
    REQUIRE(reader
                .feed("\ndata: d\n\n",
                      [&](const SseEvent& event) {
                          ++events;
                          CHECK(event.begin_offset == 1);
                          CHECK(event.end_offset == 10);
                          CHECK(event.whole);
                      })
                .has_value());
    REQUIRE(reader.feed("da", expect_none).has_value());
    CHECK_FALSE(reader.between_events());
    REQUIRE(reader
                .feed("ta: e\nevent: n\n\n",
                      [&](const SseEvent& event) {
                          ++events;
                          CHECK(event.data == "e");
                          CHECK(event.name == "n");
                          CHECK_FALSE(event.whole);
                          CHECK(event.begin_offset == 0);
                      })
                .has_value());
    CHECK(events == 4);
}

TEST_CASE("an event is bounded, whole or cut") {
    // The line being read and the data so far count together: "data: 12" is 8 bytes.
    CHECK(read_of("data: 12\n\n: 567890\n", 8) == "[|12|][:]");
    CHECK(read_of("data: 123\n\n", 8) == " too long");
    CHECK(read_of(": 3456789\n", 8) == " too long");
    CHECK(read_of("data: 12\n\ndata:1\ndata:23\n\n", 8) == "[|12|][|1\n23|]");
    CHECK(read_of("data:12\ndata:34\n\n", 8) == " too long");
    // A byte order mark does not count, wherever it is cut.
    CHECK(read_of("\xEF\xBB\xBF"
                  "data: 12\n\n",
                  8) == "[|12|]");
    CHECK(read_of("\xEF\xBB\xBF\n:\n", 1) == "[:]");
    CHECK(read_of("\xEF\xBB\n", 1) == " too long");
    // Comments and skipped fields are not kept, so any number of them may come.
    std::string many = "data:1\n";
    for (int i = 0; i < 20; ++i) many += ":ka\nx: y\n";
    CHECK(read({many + "\n"}, 8).substr(60) == "[|1|]");

    // It is noticed while the end is still missing, or the buffer would grow for ever.
    CHECK(read({"data: 12", "3"}, 8) == " too long");
    CHECK(read({"data:1\n", "data:23\nda", "ta:4"}, 8) == " too long");

    const std::string large(SseReader::kMaxEventBytes - 6, 'x');
    CHECK(read({"data: ", large, "\n\n"}).size() == large.size() + 4);
    CHECK(read({"data: ", large, "x\n\n"}) == " too long");
}

TEST_CASE("bytes that come one by one, and lines that end with CR, are looked at a fixed number of times") {
    const std::string event = "event: response.output_text.delta\r\ndata: " + std::string(5000, 'x') + "\r\n\r\n";
    SseReader reader;
    int events = 0;
    for (const char c : event) REQUIRE(reader.feed({&c, 1}, [&](const SseEvent&) { ++events; }).has_value());
    CHECK(events == 1);
    CHECK(reader.scanned_for_test() <= 2 * event.size());

    CHECK(reader.feed({}, [&](const SseEvent&) { ++events; }).has_value());  // nothing, not even a place
    CHECK(events == 1);

    SseReader other;
    REQUIRE(other.feed(std::string(50'000, '\r'), [](const SseEvent&) {}).has_value());
    CHECK(other.scanned_for_test() <= 100'000);
    SseReader third;
    REQUIRE(third.feed(std::string(50'000, '\r') + "\n", [](const SseEvent&) {}).has_value());
    CHECK(third.scanned_for_test() <= 100'002);
}

TEST_CASE("no mutation crashes the reader, and how it arrives changes nothing") {
    const std::string stream =
        "\xEF\xBB\xBF: hi\r\n\r\nevent: a\r\ndata: {\"x\":1}\r\n\r\nid: 7\rdata: b\rdata: c\r\rretry: 20\n\ndata: "
        "[DONE]\n\n";
    oai::http::test::Random random(20260214);
    for (int round = 0; round < 4000; ++round) {
        const std::string input = mutate(stream, random);
        const std::size_t limit = random.below(2) == 0 ? 10 + random.below(20) : SseReader::kMaxEventBytes;
        CAPTURE(input);
        CHECK(read(random_pieces(input, random), limit) == read({input}, limit));
    }
}
