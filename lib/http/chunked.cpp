#include "http/chunked.hpp"

#include <algorithm>
#include <limits>

#include "http/chars.hpp"

namespace oai::http {

ChunkedDecoder::Step ChunkedDecoder::feed(std::string_view in) {
    std::size_t at = 0;
    while (at < in.size() && state_ != State::done && state_ != State::malformed) {
        if (state_ == State::data) {
            const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size() - at));
            left_ -= size;
            payload_bytes_ += size;
            if (left_ == 0) state_ = State::data_cr;
            return {Status::payload, at + size, in.substr(at, size)};
        }
        if (!take(in[at])) {
            state_ = State::malformed;
            break;
        }
        ++at;
    }
    if (state_ == State::done) return {Status::done, at, {}};
    return {state_ == State::malformed ? Status::malformed : Status::need_more, at, {}};
}

/// One byte that is not payload; there are few of them.
bool ChunkedDecoder::take(char c) {
    switch (state_) {
        case State::size: return take_size(c);
        case State::extension:
            if (c == '\r') {
                state_ = State::size_lf;
                return true;
            }
            if (is_char(c, kControl))
                return refuse("a chunk extension holds a bare LF, a NUL or another control character");
            if (++extension_bytes_ > limits_.max_extension_bytes + payload_bytes_)
                return refuse("the chunk extensions are longer than the payload justifies");
            return true;
        case State::size_lf:
            if (c != '\n') return refuse("the line of a chunk size does not end with CRLF");
            state_ = left_ == 0 ? State::trailer_start : State::data;
            return true;
        case State::data_cr:
            if (c != '\r') return refuse("a chunk is longer than its size says: CRLF is missing after its data");
            state_ = State::data_lf;
            return true;
        case State::data_lf:
            if (c != '\n') return refuse("the data of a chunk is not followed by CRLF");
            state_ = State::size;
            digits_ = 0;
            return true;
        default: return take_trailer(c);
    }
}

bool ChunkedDecoder::take_size(char c) {
    if (const int digit = hex_value(c); digit >= 0) {
        // The bound comes before the shift: a 17th digit would push the first one out.
        if (++digits_ > kMaxDigits) return refuse("a chunk size has more than 16 digits");
        left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
        return true;
    }
    if (digits_ == 0) return refuse("a chunk does not begin with its size in hex digits");
    if (left_ > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) - payload_bytes_)
        return refuse("the chunk sizes add up to 2^63 or more");
    if (c != ';' && c != '\r') return refuse("a chunk size is followed by something else than CRLF or a semicolon");
    state_ = c == ';' ? State::extension : State::size_lf;
    return true;
}

bool ChunkedDecoder::take_trailer(char c) {
    if (++trailer_bytes_ > limits_.max_trailer_bytes) return refuse("the trailers are too long");
    switch (state_) {
        case State::trailer_start:
            if (c == '\r') {
                state_ = State::end_lf;
            } else if (is_char(c, kToken)) {
                state_ = State::trailer_name;
            } else {
                return refuse("a trailer line does not begin with a name");
            }
            return true;
        case State::trailer_name:
            if (c == ':') {
                state_ = State::trailer_value;
            } else if (!is_char(c, kToken)) {
                return refuse("a trailer line has no colon after its name");
            }
            return true;
        case State::trailer_value:
            if (c == '\r') {
                state_ = State::trailer_lf;
            } else if (is_char(c, kControl)) {
                return refuse("a trailer holds a bare LF, a NUL or another control character");
            }
            return true;
        default:  // trailer_lf and end_lf
            if (c != '\n') return refuse("a trailer line does not end with CRLF");
            state_ = state_ == State::end_lf ? State::done : State::trailer_start;
            return true;
    }
}

bool ChunkedDecoder::refuse(std::string_view detail) {
    error_.code = from_ == core::Source::upstream ? core::Code::upstream_malformed : core::Code::malformed_http;
    error_.source = from_;
    error_.detail.assign("chunked body: ").append(detail);
    return false;
}

void ChunkedDecoder::reset() noexcept {
    *this = ChunkedDecoder(from_, limits_);
}

std::size_t write_chunk_header(char* out, std::size_t size) noexcept {
    constexpr std::string_view hex = "0123456789abcdef";
    int shift = 60;
    while (shift > 0 && (size >> shift) == 0) shift -= 4;
    char* at = out;
    for (; shift >= 0; shift -= 4) *at++ = hex[(size >> shift) & 0xF];
    *at++ = '\r';
    *at++ = '\n';
    return static_cast<std::size_t>(at - out);
}

}  // namespace oai::http
