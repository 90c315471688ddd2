#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/basic_waitable_timer.hpp>

#include "core/result.hpp"
#include "http/connection.hpp"
#include "http/websocket.hpp"
#include "http/websocket_handshake.hpp"
#include "net/types.hpp"

namespace oai::http {

/// Server: answers 101. Returns what was agreed upon for packing; `most` is the most that is wanted, none for no
/// packing at all. Precondition: `!refuse_websocket(request)`.
net::Awaitable<core::Result<std::optional<Deflate>>> accept_websocket(Connection& connection,
                                                                      const RequestHead& request,
                                                                      const std::optional<Deflate>& most,
                                                                      std::string_view more_fields = {});

/// Client: asks for a WebSocket on a fresh connection. An answer other than 101 is Code::upstream_error; its head is
/// then in connection.response_head() and its body is still to be read. Other errors as read_response_head().
net::Awaitable<core::Result<std::optional<Deflate>>> open_websocket(Connection& connection,
                                                                    const WebSocketRequest& request);

struct WebSocketMessage {
    enum class Kind : std::uint8_t {
        text,
        binary,
        closed,
        nothing,  ///< the stream's wake time came; reading may go on
    };
    Kind kind = Kind::closed;
    std::string_view payload = {};  ///< with readable padding behind it; good until the next read()
};

/// A conversation over a connection that has passed the handshake, from either side.
///
/// One worker. One coroutine reads; any number may write, ping and close at the same time: frames leave one after the
/// other, in the order of the calls. So a bridge is two coroutines, each reading one side and writing to the other. A
/// call returns when the kernel took its bytes, and until then its arguments must live: that is back-pressure, also for
/// the pongs that read() sends. All calls must have returned before this or the connection is destroyed; to make
/// them, close the stream.
///
/// How long anything may take is the deadline, for both directions; set none and a silent peer is waited for for ever.
class WebSocket {
public:
    struct Options {
        WebSocketRole role = WebSocketRole::server;
        std::optional<Deflate> deflate = {};                    ///< from accept_websocket or open_websocket
        std::size_t max_message_bytes = std::size_t{16} << 20;  ///< of the peer's, unpacked
        std::size_t pack_from_bytes = 1024;  ///< shorter messages gain less on the wire than packing costs
        std::chrono::nanoseconds close_patience = std::chrono::seconds{2};  ///< of the closing handshake
    };

    WebSocket(Connection& connection, Options options);
    WebSocket(const WebSocket&) = delete;

    /// The next message, or `nothing` when the stream was woken, or `closed` once the peer's Close has arrived and is
    /// answered, or once it has gone without one after ours. Pings are answered and pongs noted meanwhile. Errors: what
    /// the peer did wrong (it was told with a Close), malformed_http, payload_too_large or upstream_malformed;
    /// request_timeout or upstream_timeout at the deadline; cancelled or upstream_truncated when it left without a
    /// Close. After `closed` or an error there is nothing more to read.
    net::Awaitable<core::Result<WebSocketMessage>> read();

    /// Errors as read(). `retryable` when closing had begun and nothing of the message was sent.
    net::Awaitable<core::Result<void>> write(std::string_view text);
    net::Awaitable<core::Result<void>> write_binary(std::string_view bytes);
    /// At most kMaxControlPayload bytes. See pong_at() for the answer.
    net::Awaitable<core::Result<void>> ping(std::string_view payload = {});

    /// Pings, and reads until the pong: false when none came within `patience`, or something else did. For a connection
    /// over which nothing is due, and nobody else reads.
    net::Awaitable<bool> alive(std::chrono::nanoseconds patience);

    /// Lets go of the last message and its memory. False when more than it has arrived, or the end has: then this is no
    /// connection to be kept for something new.
    bool rest() noexcept;

    /// Sends a Close, once, and waits no longer than the patience for the peer's; when another coroutine is reading,
    /// that one waits for it. The connection is then the caller's to close.
    net::Awaitable<void> close(CloseCode code, std::string_view reason = {});

    /// The stream's; has no effect once the closing handshake has begun.
    void set_deadline(core::TimePoint at) noexcept;

    /// A Close was sent or has arrived: nothing can be written any more.
    bool closing() const noexcept { return close_sent_ || peer_close_code_.has_value(); }
    /// None until the peer's Close has arrived or the connection broke, which is CloseCode::abnormal.
    std::optional<CloseCode> peer_close_code() const noexcept { return peer_close_code_; }
    const std::string& peer_close_reason() const noexcept { return peer_close_reason_; }
    /// When the last pong arrived; the clock's epoch before the first.
    core::TimePoint pong_at() const noexcept { return pong_at_; }

private:
    net::Awaitable<core::Result<WebSocketMessage>> read_message();
    net::Awaitable<core::Result<void>> send(Opcode opcode, std::string_view payload);
    net::Awaitable<void> wait_for_turn();
    void end_turn() noexcept;
    net::Pieces make_frame(Opcode opcode, std::string_view payload);
    MaskKey next_mask();
    net::Awaitable<void> send_close(CloseCode code, std::string_view reason);
    core::Error broken(std::string_view what) const;

    Connection& connection_;
    Options options_;
    WebSocketReader reader_;
    std::size_t used_ = 0;  ///< bytes of the connection's buffer that hold the last message
    bool reading_ = false;
    bool awaits_pong_ = false;  ///< read() returns with the next one
    std::optional<CloseCode> peer_close_code_;
    std::string peer_close_reason_;
    core::TimePoint pong_at_{};

    // Sending. `turn_` never expires: it is what those who wait for their turn wait on.
    bool sending_ = false;
    bool close_sent_ = false;
    std::size_t waiting_ = 0;
    boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>,
                                      net::Executor>
        turn_;
    std::optional<MessageDeflater> deflater_;
    std::array<char, kMaxFrameHeader> header_{};
    net::Buffer out_;  ///< the payload being sent, where it is not sent from where it lies
    std::string masks_;
};

}  // namespace oai::http
