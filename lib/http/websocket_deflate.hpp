#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "http/head.hpp"
#include "net/buffer.hpp"

struct z_stream_s;

namespace oai::http {

/// How one side packs what it sends (permessage-deflate, RFC 7692).
struct DeflateSide {
    /// A message may refer to those before it. Packs short messages better and costs memory between them: 260 KiB where
    /// we pack, 40 KiB where we unpack, at 15 bits.
    bool context_takeover = true;
    int window_bits = 15;  ///< 8 to 15 where the peer packs; 9 to 15 where we do, since zlib knows no 8
};

/// What both sides agreed upon: how the client packs, and how the server does.
struct Deflate {
    DeflateSide client;
    DeflateSide server;
};

struct AcceptedDeflate {
    Deflate agreed;
    std::string answer;  ///< the value of Sec-WebSocket-Extensions that says so
};

/// A server's answer to the Sec-WebSocket-Extensions of a request: to the first offer that it can keep, or none. `most`
/// is the most that it wants of either side. An offer with a parameter that is unknown, wrong or given twice is passed
/// over (RFC 7692, 7.1).
std::optional<AcceptedDeflate> accept_deflate(const Fields& request, const Deflate& most);

/// The value of Sec-WebSocket-Extensions with which a client offers `wanted`.
std::string deflate_offer(const Deflate& wanted);
/// What a server made of it; none when it took no extension. An answer that does not fit the offer is an error: the
/// connection is of no use then (Code::upstream_malformed). `offered` is none when nothing was.
core::Result<std::optional<Deflate>> check_deflate_answer(const Fields& answer, const std::optional<Deflate>& offered);

namespace detail {
struct EndInflate {
    void operator()(z_stream_s* stream) const noexcept;
};
struct EndDeflate {
    void operator()(z_stream_s* stream) const noexcept;
};
}  // namespace detail

/// Unpacks messages. Takes its memory with the first one, and gives it back after each where the peer does not take its
/// context over.
class MessageInflater {
public:
    enum class Status : std::uint8_t { good, too_large, malformed };

    explicit MessageInflater(DeflateSide peer) noexcept : peer_(peer) {}

    /// Appends what a piece of a message unpacks to. Stops as soon as `out` holds more than `limit` bytes, by one byte:
    /// a kilobyte on the wire can be a megabyte. After a failure the stream cannot go on.
    Status add(std::string_view piece, net::Buffer& out, std::size_t limit);
    /// The message is whole.
    Status finish(net::Buffer& out, std::size_t limit);

private:
    DeflateSide peer_;
    std::unique_ptr<z_stream_s, detail::EndInflate> stream_;
};

/// Packs messages; memory as with MessageInflater.
class MessageDeflater {
public:
    explicit MessageDeflater(DeflateSide own) noexcept : own_(own) {}

    /// Appends the packed message, as it goes into a frame.
    void pack(std::string_view message, net::Buffer& out);

private:
    DeflateSide own_;
    std::unique_ptr<z_stream_s, detail::EndDeflate> stream_;
};

}  // namespace oai::http
