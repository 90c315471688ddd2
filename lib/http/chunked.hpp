#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/result.hpp"

namespace oai::http {

struct ChunkedLimits {
    /// Chunk extensions are dropped. They may be that much longer than the payload that came before them: a peer that
    /// sends a kilobyte of extension for each byte of body is an attack (Go's CVE-2023-39326), one that signs its
    /// chunks is not.
    std::size_t max_extension_bytes = std::size_t{4} * 1024;
    /// The trailer section, line ends included.
    std::size_t max_trailer_bytes = std::size_t{8} * 1024;
};

/// Takes the chunked coding (RFC 9112 7.1) off a body, without copying. Strict: 1 to 16 hex digits directly followed by
/// CRLF or
/// ';', sizes below 2^63, CRLF and nothing else as a line end. Trailers are checked and dropped. Can stop and resume at
/// any byte.
///
///     for (;;) {
///         const ChunkedDecoder::Step step = decoder.feed(in);
///         in.remove_prefix(step.consumed);
///         if (step.status != ChunkedDecoder::Status::payload) break;
///         write(step.payload);
///     }
///
/// How long a body may become is up to the caller: payload_bytes().
class ChunkedDecoder {
public:
    enum class Status : std::uint8_t {
        payload,    ///< `payload` is not empty; call again with the rest
        need_more,  ///< all of the input is consumed, the body is not over
        done,       ///< the body is over; what follows `consumed` belongs to the next message
        malformed,  ///< error() says why; the connection cannot be used any more
    };
    struct Step {
        Status status = Status::need_more;
        std::size_t consumed = 0;  ///< bytes of the input that are dealt with, payload included
        std::string_view payload;  ///< inside the input
    };

    /// `from` is the side that sent the body: Code::malformed_http for downstream, Code::upstream_malformed for
    /// upstream.
    explicit ChunkedDecoder(core::Source from = core::Source::downstream, ChunkedLimits limits = {}) noexcept
        : limits_(limits), from_(from) {}

    Step feed(std::string_view in);

    /// When the peer closes before this is true, the body was cut.
    bool done() const noexcept { return state_ == State::done; }
    std::uint64_t payload_bytes() const noexcept { return payload_bytes_; }
    const core::Error& error() const noexcept { return error_; }
    /// For the next body of the connection.
    void reset() noexcept;

private:
    enum class State : std::uint8_t {
        size,
        extension,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailer_start,
        trailer_name,
        trailer_value,
        trailer_lf,
        end_lf,
        done,
        malformed,
    };

    bool take(char c);
    bool take_size(char c);
    bool take_trailer(char c);
    bool refuse(std::string_view detail);

    static constexpr int kMaxDigits = 16;

    ChunkedLimits limits_;
    core::Source from_;
    State state_ = State::size;
    int digits_ = 0;
    std::uint64_t left_ = 0;  ///< of the chunk: its size while digits are read, then what is still to come
    std::uint64_t payload_bytes_ = 0;
    std::uint64_t extension_bytes_ = 0;
    std::size_t trailer_bytes_ = 0;
    core::Error error_;
};

/// "1f40\r\n" into `out`; returns its length, at most kMaxChunkHeader. `size` 0 would end the body: use kLastChunk for
/// that.
std::size_t write_chunk_header(char* out, std::size_t size) noexcept;

inline constexpr std::size_t kMaxChunkHeader = 18;
inline constexpr std::string_view kChunkEnd = "\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";  ///< after the kChunkEnd of the last data

}  // namespace oai::http
