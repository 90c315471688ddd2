#include "http/inflate.hpp"

#include <array>

#include <zlib.h>

#include "core/units.hpp"

namespace oai::http {

using core::Code;
using core::Error;
using core::Result;

struct Inflater::State {
    z_stream stream{};
};

namespace {

Error malformed(std::string detail) {
    return Error{.code = Code::upstream_malformed, .source = core::Source::upstream, .detail = std::move(detail)};
}

}  // namespace

Inflater::Inflater() : state_(std::make_unique<State>()) {
    // 32: gzip and zlib headers are told apart by themselves.
    ::inflateInit2(&state_->stream, MAX_WBITS + 32);
}

Inflater::~Inflater() {
    ::inflateEnd(&state_->stream);
}

Result<void> Inflater::feed(std::string_view coded, std::string& out, std::size_t most) {
    z_stream& stream = state_->stream;
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(coded.data()));
    stream.avail_in = static_cast<uInt>(coded.size());
    std::array<char, 16 * 1024> piece;
    while (!done_ && (stream.avail_in != 0 || stream.avail_out == 0)) {
        stream.next_out = reinterpret_cast<Bytef*>(piece.data());
        stream.avail_out = static_cast<uInt>(piece.size());
        const int status = ::inflate(&stream, Z_NO_FLUSH);
        const std::size_t bytes = piece.size() - stream.avail_out;
        given_ += bytes;
        if (given_ > most) return malformed("the upstream's packed answer unpacks to more than it may");
        out.append(piece.data(), bytes);
        if (status == Z_STREAM_END) done_ = true;
        if (status == Z_BUF_ERROR) break;  // all that was here is unpacked
        if (status != Z_OK && status != Z_STREAM_END)
            return malformed("the upstream's packed answer cannot be unpacked");
    }
    return {};
}

bool Inflater::knows(std::string_view content_encoding) noexcept {
    for (const std::string_view name : {"gzip", "x-gzip", "deflate"}) {
        if (core::equals_ignore_case(content_encoding, name)) return true;
    }
    return false;
}

}  // namespace oai::http
