#include "core/units.hpp"

#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "core/ids.hpp"

using namespace oai::core;
using namespace std::chrono_literals;

TEST_CASE("durations need a unit and are exact") {
    struct Row {
        const char* text;
        std::optional<nanoseconds> want;
    };
    const Row rows[] = {
        {"250ms", 250ms},
        {"1.5s", 1500ms},
        {"3m", 3min},
        {"1h", 1h},
        {"0", 0ns},
        {"0s", 0ns},
        {"900us", 900us},
        {"3", std::nullopt},
        {"", std::nullopt},
        {"ms", std::nullopt},
        {"-1s", std::nullopt},
        {"1 s", std::nullopt},
        {"1.s", std::nullopt},
        {"1..5s", std::nullopt},
        {"1sx", std::nullopt},
        {"0.3ns", std::nullopt},
        {"99999999999h", std::nullopt},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        const Result<nanoseconds> got = parse_duration(row.text);
        CHECK(got.has_value() == row.want.has_value());
        if (got && row.want) CHECK(got->count() == row.want->count());
    }
    CHECK(parse_duration("3").error().detail == "a duration must be like 250ms, 30s or 3m, got \"3\"");
}

TEST_CASE("a printed duration reads back as itself") {
    for (const nanoseconds value : {nanoseconds{0}, nanoseconds{250ms}, nanoseconds{90s}, nanoseconds{3min},
                                    nanoseconds{1h}, nanoseconds{1500ms}, nanoseconds{7ns}}) {
        const std::string text = format_duration(value);
        CAPTURE(text);
        CHECK(parse_duration(text)->count() == value.count());
    }
}

TEST_CASE("percentages are basis points") {
    CHECK(*parse_percent("2%") == 200);
    CHECK(*parse_percent("99.95%") == 9995);
    CHECK(*parse_percent("100%") == 10000);
    for (const char* text : {"2", "0.02", "101%", "0.001%", "%", "-1%", ""}) {
        CAPTURE(text);
        CHECK_FALSE(parse_percent(text));
    }
    CHECK(format_basis_points(9950) == "99.5");
    CHECK(format_basis_points(200) == "2");
    CHECK(format_basis_points(5) == "0.05");
}

TEST_CASE("sizes are bytes") {
    CHECK(*parse_size("4096") == 4096);
    CHECK(*parse_size("32MiB") == 32u << 20);
    CHECK(*parse_size("1.5KiB") == 1536);
    for (const char* text : {"32MB", "-1", "", "KiB"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_size(text));
    }
}

TEST_CASE("counts are whole numbers and nothing else") {
    CHECK(*parse_unsigned("20") == 20);
    for (const char* text : {"", "-1", "2.5", "20x", " 20", "99999999999999999999"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_unsigned(text));
    }
}

TEST_CASE("milliseconds are shown with three decimals") {
    CHECK(format_ms(1234567) == "1234.567");
    CHECK(format_ms(0) == "0.000");
    CHECK(format_ms(-1500) == "-1.500");
}

TEST_CASE("times are read with zone and fraction, and printed in UTC") {
    CHECK(format_rfc3339(*parse_rfc3339("2026-02-12T09:00:00Z")) == "2026-02-12T09:00:00Z");
    CHECK(format_rfc3339(*parse_rfc3339("2026-02-12T09:00:00.75+08:00")) == "2026-02-12T01:00:00Z");
    CHECK(format_compact_utc(*parse_rfc3339("2026-02-12T09:00:00Z")) == "20260212T090000Z");
    CHECK(format_http_date(*parse_rfc3339("2026-02-12T09:00:00.9Z")) == "Thu, 12 Feb 2026 09:00:00 GMT");
    CHECK(format_http_date(*parse_rfc3339("2028-02-29T23:59:59Z")) == "Tue, 29 Feb 2028 23:59:59 GMT");
    CHECK(format_http_date(*parse_rfc3339("2000-12-03T00:00:00Z")) == "Sun, 03 Dec 2000 00:00:00 GMT");
    for (const char* text :
         {"2026-02-30T00:00:00Z", "2026-02-12", "2026-02-12 09:00:00Z", "2026-02-12T09:00:00", "x"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_rfc3339(text));
    }
}

TEST_CASE("only ASCII letters are the same in both cases, at every length and place") {
    // Byte by byte, by to_lower: what the words of eight bytes must agree with.
    for (const std::size_t size : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 40}) {
        for (std::size_t at = 0; at < size; ++at) {
            for (int one = 0; one < 256; ++one) {
                std::string a(size, 'x'), b(size, 'X');
                a[at] = static_cast<char>(one);
                for (const int other : {one, one ^ 0x20, one ^ 0x80, one ^ 0x01, one ^ 0xA0}) {
                    b[at] = static_cast<char>(other);
                    const bool same = to_lower(a[at]) == to_lower(b[at]);
                    if (equals_ignore_case(a, b) != same) FAIL(size, " bytes, ", one, " and ", other, " at ", at);
                }
            }
        }
    }
    CHECK(equals_ignore_case("", ""));
    CHECK_FALSE(equals_ignore_case("host", "hosts"));
    CHECK(equals_ignore_case("Content-LENGTH", "content-length"));
    CHECK_FALSE(equals_ignore_case("content_length", "content-length"));
}

TEST_CASE("hex goes both ways and refuses what is not hex") {
    CHECK(to_hex(std::string_view("\x00\xff\x10", 3)) == "00ff10");
    CHECK(from_hex("00ff10") == std::string("\x00\xff\x10", 3));
    CHECK(from_hex("0g").empty());
    CHECK(from_hex("abc").empty());
}

TEST_CASE("request ids have one shape and do not repeat") {
    IdSource source(1);
    const RequestId a(source), b(source);
    CHECK(a.view().size() == 28);
    CHECK(a.view().starts_with("req_"));
    CHECK(a.view() != b.view());
}
