#include "mock/gzip.hpp"

#include <array>

#include <zlib.h>

namespace oai::mock {

struct Gzip::State {
    z_stream z{};
};

Gzip::Gzip() : state_(std::make_unique<State>()) {
    constexpr int kGzipFraming = 16, kWindowBits = 15, kMemory = 8;
    deflateInit2(&state_->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kWindowBits + kGzipFraming, kMemory,
                 Z_DEFAULT_STRATEGY);
}

Gzip::~Gzip() {
    deflateEnd(&state_->z);
}

std::string Gzip::next(std::string_view text, bool last) {
    std::string out;
    if (text.empty() && !last) return out;
    z_stream& z = state_->z;
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    z.avail_in = static_cast<uInt>(text.size());
    std::array<char, 4096> piece;
    do {
        z.next_out = reinterpret_cast<Bytef*>(piece.data());
        z.avail_out = static_cast<uInt>(piece.size());
        deflate(&z, last ? Z_FINISH : Z_SYNC_FLUSH);
        out.append(piece.data(), piece.size() - z.avail_out);
    } while (z.avail_out == 0);
    return out;
}

}  // namespace oai::mock
