#include "http/inflate.hpp"

#include <string>

#include <doctest/doctest.h>
#include <zlib.h>

using namespace oai;
using namespace oai::http;

namespace {

std::string pack(const std::string& text, int window_bits) {
    z_stream stream{};
    REQUIRE(::deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string out(::deflateBound(&stream, static_cast<uLong>(text.size())) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    ::deflateEnd(&stream);
    return out;
}

constexpr int kGzip = MAX_WBITS + 16;

}  // namespace

TEST_CASE("what was packed comes back, in whatever pieces it arrives") {
    std::string text;
    for (int i = 0; i < 5000; ++i) text += "event " + std::to_string(i * 7919) + "\n";
    for (const int format : {kGzip, MAX_WBITS}) {
        const std::string packed = pack(text, format);
        for (const std::size_t piece : {packed.size(), std::size_t{1000}, std::size_t{1}}) {
            CAPTURE(format);
            CAPTURE(piece);
            Inflater inflater;
            std::string out;
            for (std::size_t at = 0; at < packed.size(); at += piece)
                REQUIRE(inflater.feed(packed.substr(at, piece), out, text.size()));
            CHECK(inflater.done());
            CHECK(out == text);
        }
    }
}

TEST_CASE("a bomb stops at the bound, garbage is said to be garbage, and half of it is not done") {
    const std::string packed = pack(std::string(10'000'000, 'x'), kGzip);
    Inflater bomb;
    std::string out;
    const core::Result<void> stopped = bomb.feed(packed, out, 100'000);
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().code == core::Code::upstream_malformed);
    CHECK(out.size() <= 100'000);
    Inflater garbage;
    CHECK_FALSE(garbage.feed("this is no gzip", out, 100'000));
    Inflater half;
    const std::string good = pack("hello", kGzip);
    CHECK(half.feed(good.substr(0, good.size() / 2), out, 100'000));
    CHECK_FALSE(half.done());
}

TEST_CASE("codings are known by their names") {
    for (const char* name : {"gzip", "x-gzip", "GZIP", "deflate"}) CHECK(Inflater::knows(name));
    for (const char* name : {"", "br", "identity", "gzip, br"}) CHECK_FALSE(Inflater::knows(name));
}
