#include "http/utf8.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "http/splits.hpp"

using namespace oai::http;

namespace {

/// By value, as RFC 3629 defines it: decode, then ask whether the value needed that many bytes.
bool plainly_utf8(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
        const unsigned first = byte(at);
        const std::size_t more = first < 0x80       ? 0
                                 : first >> 5 == 6  ? 1
                                 : first >> 4 == 14 ? 2
                                 : first >> 3 == 30 ? 3
                                                    : 9;
        if (more == 9 || at + more >= text.size()) return false;
        unsigned value = more == 0 ? first : first & (0x3FU >> more);
        for (std::size_t i = 1; i <= more; ++i) {
            if (byte(at + i) >> 6 != 2) return false;
            value = value << 6 | (byte(at + i) & 0x3F);
        }
        constexpr unsigned least[] = {0, 0x80, 0x800, 0x10000};
        if (value < least[more] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return false;
        at += more + 1;
    }
    return true;
}

}  // namespace

TEST_CASE("UTF-8 is what RFC 3629 says, for every row of four bytes at its edges") {
    constexpr unsigned char edges[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2,
                                       0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF4, 0xF5};
    std::string text(4, '\0');
    int wrong = 0;
    for (const unsigned char a : edges)
        for (const unsigned char b : edges)
            for (const unsigned char c : edges)
                for (const unsigned char d : edges) {
                    text[0] = static_cast<char>(a);
                    text[1] = static_cast<char>(b);
                    text[2] = static_cast<char>(c);
                    text[3] = static_cast<char>(d);
                    if (is_utf8(text) != plainly_utf8(text)) ++wrong;
                }
    CHECK(wrong == 0);
}

TEST_CASE("UTF-8 is judged the same however it arrives, and a wrong byte when it arrives") {
    const auto judge = [](const std::vector<std::string>& pieces) {
        Utf8Checker checker;
        for (const std::string& piece : pieces) {
            if (!checker.feed(piece)) return std::string("wrong");
        }
        return std::string(checker.complete() ? "good" : "cut");
    };
    struct Row {
        std::string_view text;
        std::string_view want;
    };
    const Row rows[] = {
        {"", "good"},
        {"plain ASCII of some length, longer than a word", "good"},
        {"\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5", "good"},
        {"eight by\xF0\x9F\x98\x80tes and\xC3\xA9", "good"},
        {"eight by\xF0\x9F\x98", "cut"},
        {"12345678\xE2\x82", "cut"},
        {"12345678\xED\xA0\x80", "wrong"},
        {"12345678\x80", "wrong"},
        {"\xF4\x90", "wrong"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        CHECK(oai::http::test::same_for_every_split(row.text, judge) == row.want);
        CHECK(is_utf8(row.text) == (row.want == "good"));
    }
}
