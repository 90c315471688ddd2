#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/result.hpp"
#include "http/utf8.hpp"
#include "http/websocket_deflate.hpp"
#include "net/buffer.hpp"

namespace oai::http {

// The frames of RFC 6455, without I/O. The handshake is in websocket_handshake.hpp, a conversation over a socket in
// websocket_connection.hpp.

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// What we are in the conversation. A client masks what it sends, a server does not.
enum class WebSocketRole : std::uint8_t { server, client };

/// Why a conversation ended (RFC 6455, 7.4). `none` and `abnormal` are never sent.
enum class CloseCode : std::uint16_t {
    normal = 1000,
    going_away = 1001,
    protocol_error = 1002,
    unsupported = 1003,
    none = 1005,      ///< the peer gave no code
    abnormal = 1006,  ///< the connection broke without a Close
    bad_data = 1007,
    policy = 1008,
    too_big = 1009,
    internal = 1011,
    try_again_later = 1013,
};

/// Whether a Close frame may carry it.
bool may_be_sent(CloseCode code) noexcept;

/// Payload of a Close frame.
struct CloseReason {
    CloseCode code = CloseCode::none;
    std::string_view text;  ///< UTF-8
};
/// Precondition: `payload` passed a WebSocketReader.
CloseReason read_close(std::string_view payload) noexcept;

inline constexpr std::size_t kMaxControlPayload = 125;
inline constexpr std::size_t kMaxFrameHeader = 14;

/// Into `out` of kMaxControlPayload bytes; returns the length. A reason too long is cut between two characters.
/// Precondition: may_be_sent(code), and the text is UTF-8.
std::size_t write_close(char* out, CloseReason reason) noexcept;

using MaskKey = std::uint32_t;  ///< its four bytes as they lie in memory

/// Header of a whole message or control frame (FIN) into `out`; returns its length, at most kMaxFrameHeader. With a
/// mask key the payload must be masked with it.
std::size_t write_frame_header(char* out, Opcode opcode, std::size_t payload_size, std::optional<MaskKey> mask,
                               bool packed = false) noexcept;

/// Masks, or unmasks, bytes that begin at `offset` of their frame's payload.
void apply_mask(std::span<char> bytes, MaskKey key, std::size_t offset = 0) noexcept;

/// Reads what the peer sends: whole messages, and the control frames between their fragments. Strict: minimal lengths,
/// masks where they must be, no reserved bit or opcode, UTF-8 in text and in reasons; a wrong byte is found when it
/// arrives.
///
/// Give it the bytes that were read and not consumed, each time from the first of them on; they are unmasked where they
/// lie. A message of one frame that is not packed is handed out there, without copying; others are gathered.
///
///     for (;;) {
///         const WebSocketReader::Step step = reader.next({in.data(), in.size()});
///         use(step);  // payload is good until the bytes are consumed and the next call
///         in.consume(step.consumed);
///         if (step.status == WebSocketReader::Status::need_more) read more behind `in`
///     }
class WebSocketReader {
public:
    enum class Status : std::uint8_t { need_more, text, binary, ping, pong, close, malformed };
    struct Step {
        Status status = Status::need_more;
        std::size_t consumed = 0;  ///< bytes of the input that are dealt with, the payload included where it lies there
        std::string_view payload = {};  ///< readable up to net::Buffer::kPadding beyond its end when the input is
    };
    struct Options {
        WebSocketRole role = WebSocketRole::server;
        std::optional<DeflateSide> peer_packs = {};             ///< how, when permessage-deflate was agreed upon
        std::size_t max_message_bytes = std::size_t{16} << 20;  ///< unpacked; more is malformed with 1009
    };

    WebSocketReader(net::BufferPool& pool, Options options);

    Step next(std::span<char> in);

    /// After need_more: how many bytes more must lie in the input before this frame can be handed out, when that is
    /// known; else 0.
    std::size_t missing() const noexcept { return missing_; }
    /// After malformed: with what code to close, and what was wrong. No later call will succeed.
    CloseCode close_code() const noexcept { return close_code_; }
    const core::Error& error() const noexcept { return error_; }
    /// No part of a message has arrived that is not handed out.
    bool between_messages() const noexcept { return !in_frame_ && !in_message_; }

private:
    struct Frame {
        Opcode opcode = Opcode::continuation;
        bool fin = false;
        bool packed = false;
        std::uint64_t size = 0;  ///< of the payload
        MaskKey mask = 0;
        std::size_t read = 0;  ///< of it: gathered, or with `in_place` unmasked and checked
        bool in_place = false;
    };

    bool read_header(std::span<char> in, std::size_t& at);
    std::string_view check_header(std::uint8_t first, std::uint8_t second) const noexcept;
    bool begin_data();
    Step read_control(std::span<char> in, std::size_t at);
    Step read_in_place(std::span<char> in, std::size_t at);
    Step read_piece(std::span<char> in, std::size_t at);
    bool gather(std::string_view piece, bool last);
    Step refuse(CloseCode code, std::string_view what);
    Step refuse_text();
    void refuse_size();

    Options options_;
    Frame frame_;
    bool in_frame_ = false;
    // The message whose fragments are being gathered.
    bool in_message_ = false;
    bool text_ = false;
    bool packed_ = false;
    bool handed_out_ = false;       ///< gathered_ is the caller's until the next call
    std::uint64_t wire_bytes_ = 0;  ///< of the message so far, packed or not
    net::Buffer gathered_;
    Utf8Checker utf8_;
    std::optional<MessageInflater> inflater_;
    std::size_t missing_ = 0;
    CloseCode close_code_ = CloseCode::none;
    core::Error error_;
};

}  // namespace oai::http
