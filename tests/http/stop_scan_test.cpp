#include "http/stop_scan.hpp"

#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "http/splits.hpp"

using namespace oai::http;

namespace {

/// In a block of its own size, so that a look beyond it is caught.
std::vector<std::size_t> stops_from(std::size_t from, const std::string& text) {
    const std::unique_ptr<char[]> block(new char[text.size()]);
    text.copy(block.get(), text.size());
    StopScan scan(block.get(), block.get() + from, block.get() + text.size());
    std::vector<std::size_t> stops;
    for (const char* at = scan.next(); at != scan.end(); at = scan.next())
        stops.push_back(static_cast<std::size_t>(at - block.get()));
    return stops;
}

}  // namespace

TEST_CASE("a scan stops at every control character and colon, wherever it begins and ends") {
    oai::http::test::Random random(20260214);
    for (std::size_t size = 0; size < 200; ++size) {
        std::string text;
        for (std::size_t i = 0; i < size; ++i)
            text += static_cast<char>(random.below(3) == 0 ? random.below(256) : 'a');
        for (const std::size_t from : {std::size_t{0}, size / 3, size - size / 5, size}) {
            CAPTURE(text);
            CAPTURE(from);
            std::vector<std::size_t> want;
            for (std::size_t i = from; i < size; ++i) {
                const auto byte = static_cast<unsigned char>(text[i]);
                if (byte < 0x20 || byte == 0x7F || byte == ':') want.push_back(i);
            }
            CHECK(stops_from(from, text) == want);
        }
    }
}

TEST_CASE("every byte is a stop or none, in a block and behind the last one") {
    for (unsigned byte = 0; byte < 256; ++byte) {
        CAPTURE(byte);
        const bool want = byte < 0x20 || byte == 0x7F || byte == ':';
        std::string text(70, 'a');
        text[20] = text[68] = static_cast<char>(byte);
        CHECK((stops_from(0, text) == std::vector<std::size_t>{20, 68}) == want);
        CHECK((stops_from(0, std::string(1, text[20])).size() == 1) == want);
    }
}

TEST_CASE("a stop can be skipped, in the next block too") {
    std::string text(130, 'a');
    text[63] = '\r';
    text[64] = '\n';
    text[129] = ':';
    StopScan scan(text.data(), text.data(), text.data() + text.size());
    CHECK(scan.next() == text.data() + 63);
    scan.skip();
    CHECK(scan.next() == text.data() + 129);
    CHECK(scan.next() == scan.end());
    CHECK(scan.next() == scan.end());
}
