#include "http/websocket.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace oai::http {
namespace {

constexpr std::uint8_t kFin = 0x80;
constexpr std::uint8_t kRsv1 = 0x40;
constexpr std::uint8_t kOtherRsv = 0x30;
constexpr std::uint8_t kMask = 0x80;

constexpr bool is_control(Opcode opcode) noexcept {
    return static_cast<std::uint8_t>(opcode) >= 8;
}

constexpr bool is_known(Opcode opcode) noexcept {
    return opcode <= Opcode::binary || (opcode >= Opcode::close && opcode <= Opcode::pong);
}

std::uint64_t read_number(const char* at, std::size_t bytes) noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(at[i]);
    return value;
}

char* write_number(char* at, std::uint64_t value, int bytes) noexcept {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) *at++ = static_cast<char>(value >> shift & 0xFF);
    return at;
}

/// What a packed message may be long on the wire: hardly more than unpacked, however badly it packs.
std::uint64_t wire_bound(std::size_t max_message_bytes, bool packed) noexcept {
    return packed ? max_message_bytes + max_message_bytes / 128 + 64 : max_message_bytes;
}

}  // namespace

bool may_be_sent(CloseCode code) noexcept {
    const auto number = static_cast<std::uint16_t>(code);
    return (number >= 1000 && number <= 1003) || (number >= 1007 && number <= 1014) ||
           (number >= 3000 && number <= 4999);
}

CloseReason read_close(std::string_view payload) noexcept {
    if (payload.size() < 2) return {};
    return {static_cast<CloseCode>(read_number(payload.data(), 2)), payload.substr(2)};
}

std::size_t write_close(char* out, CloseReason reason) noexcept {
    char* const text = write_number(out, static_cast<std::uint16_t>(reason.code), 2);
    std::size_t size = std::min(reason.text.size(), kMaxControlPayload - 2);
    // Back to where a character begins.
    while (size != 0 && size < reason.text.size() && (reason.text[size] & 0xC0) == 0x80) --size;
    std::copy_n(reason.text.data(), size, text);
    return size + 2;
}

std::size_t write_frame_header(char* out, Opcode opcode, std::size_t payload_size, std::optional<MaskKey> mask,
                               bool packed) noexcept {
    const std::uint8_t mask_bit = mask ? kMask : 0;
    out[0] = static_cast<char>(kFin | (packed ? kRsv1 : 0) | static_cast<std::uint8_t>(opcode));
    char* at = out + 2;
    if (payload_size < 126) {
        out[1] = static_cast<char>(mask_bit | payload_size);
    } else if (payload_size <= 0xFFFF) {
        out[1] = static_cast<char>(mask_bit | 126);
        at = write_number(at, payload_size, 2);
    } else {
        out[1] = static_cast<char>(mask_bit | 127);
        at = write_number(at, payload_size, 8);
    }
    if (mask) {
        std::memcpy(at, &*mask, sizeof *mask);
        at += sizeof *mask;
    }
    return static_cast<std::size_t>(at - out);
}

void apply_mask(std::span<char> bytes, MaskKey key, std::size_t offset) noexcept {
    char key_bytes[sizeof key];
    std::memcpy(key_bytes, &key, sizeof key);
    char pattern[8];
    for (std::size_t i = 0; i < sizeof pattern; ++i) pattern[i] = key_bytes[(offset + i) % sizeof key];
    std::uint64_t pattern_word = 0;
    std::memcpy(&pattern_word, pattern, sizeof pattern_word);
    char* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= sizeof pattern_word; left -= sizeof pattern_word, at += sizeof pattern_word) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, sizeof word);
        word ^= pattern_word;
        std::memcpy(at, &word, sizeof word);
    }
    for (std::size_t i = 0; i < left; ++i) at[i] ^= pattern[i];
}

WebSocketReader::WebSocketReader(net::BufferPool& pool, Options options) : options_(options), gathered_(pool) {
    if (options_.peer_packs) inflater_.emplace(*options_.peer_packs);
}

WebSocketReader::Step WebSocketReader::next(std::span<char> in) {
    missing_ = 0;
    if (handed_out_) gathered_.release();
    handed_out_ = false;
    std::size_t at = 0;
    while (close_code_ == CloseCode::none) {
        if (!in_frame_) {
            if (!read_header(in, at)) break;
            in_frame_ = true;
        }
        if (is_control(frame_.opcode)) return read_control(in, at);
        if (frame_.in_place) return read_in_place(in, at);
        const Step step = read_piece(in, at);
        if (in_frame_ || step.status != Status::need_more) return step;
        at = step.consumed;
    }
    return {close_code_ == CloseCode::none ? Status::need_more : Status::malformed, at};
}

/// Empty when the first two bytes of a frame may be, else what is wrong with them.
std::string_view WebSocketReader::check_header(std::uint8_t first, std::uint8_t second) const noexcept {
    const auto opcode = static_cast<Opcode>(first & 0x0F);
    const bool fin = (first & kFin) != 0;
    if (!is_known(opcode)) return "a frame has a reserved opcode";
    if ((first & kOtherRsv) != 0) return "a frame has a reserved bit set";
    if ((first & kRsv1) != 0) {
        if (!inflater_) return "a frame says that it is packed, which was not agreed upon";
        if (opcode != Opcode::text && opcode != Opcode::binary)
            return "a frame says that it is packed, and only the first one of a message may";
    }
    if (options_.role == WebSocketRole::server && (second & kMask) == 0)
        return "a frame is not masked; clients must mask theirs";
    if (options_.role == WebSocketRole::client && (second & kMask) != 0)
        return "a frame is masked; servers must not mask theirs";
    if (is_control(opcode)) {
        if (!fin) return "a control frame is fragmented";
        if ((second & ~kMask) > kMaxControlPayload) return "a control frame is longer than 125 bytes";
    } else if (opcode == Opcode::continuation) {
        if (!in_message_) return "a continuation frame continues nothing";
    } else if (in_message_) {
        return "a message begins before the one before it has ended";
    }
    return {};
}

/// False when more is needed, or when it is refused.
bool WebSocketReader::read_header(std::span<char> in, std::size_t& at) {
    const std::size_t available = in.size() - at;
    if (available < 2) return false;
    const char* const header = in.data() + at;
    const auto first = static_cast<std::uint8_t>(header[0]);
    const auto second = static_cast<std::uint8_t>(header[1]);
    if (const std::string_view wrong = check_header(first, second); !wrong.empty()) {
        refuse(CloseCode::protocol_error, wrong);
        return false;
    }
    const std::uint8_t short_size = second & 0x7F;
    const std::size_t more = short_size < 126 ? 0 : short_size == 126 ? 2 : 8;
    const std::size_t mask = options_.role == WebSocketRole::server ? sizeof(MaskKey) : 0;
    if (available < 2 + more + mask) return false;
    frame_ = Frame{.opcode = static_cast<Opcode>(first & 0x0F),
                   .fin = (first & kFin) != 0,
                   .packed = (first & kRsv1) != 0,
                   .size = more == 0 ? short_size : read_number(header + 2, more)};
    if (mask != 0) std::memcpy(&frame_.mask, header + 2 + more, mask);
    if (frame_.size >> 63 != 0) {
        refuse(CloseCode::protocol_error, "a frame has a length of 2^63 or more");
        return false;
    }
    if ((more == 2 && frame_.size < 126) || (more == 8 && frame_.size <= 0xFFFF)) {
        refuse(CloseCode::protocol_error, "a frame's length is not written in the shortest way");
        return false;
    }
    at += 2 + more + mask;
    return is_control(frame_.opcode) || begin_data();
}

/// A data frame's header is whole. False when its message becomes too long.
bool WebSocketReader::begin_data() {
    if (frame_.opcode != Opcode::continuation) {
        text_ = frame_.opcode == Opcode::text;
        packed_ = frame_.packed;
        wire_bytes_ = 0;
        utf8_.reset();
        frame_.in_place = frame_.fin && !packed_;
        in_message_ = !frame_.in_place;
    }
    const std::uint64_t bound = wire_bound(options_.max_message_bytes, packed_);
    if (frame_.size > bound - wire_bytes_) {
        refuse_size();
        return false;
    }
    wire_bytes_ += frame_.size;
    return true;
}

WebSocketReader::Step WebSocketReader::read_control(std::span<char> in, std::size_t at) {
    const auto size = static_cast<std::size_t>(frame_.size);
    if (in.size() - at < size) {
        missing_ = size - (in.size() - at);
        return {Status::need_more, at};
    }
    const std::span<char> bytes = in.subspan(at, size);
    apply_mask(bytes, frame_.mask);
    in_frame_ = false;
    const std::string_view payload(bytes.data(), size);
    const Status status = frame_.opcode == Opcode::ping   ? Status::ping
                          : frame_.opcode == Opcode::pong ? Status::pong
                                                          : Status::close;
    if (status == Status::close && size != 0) {
        if (size == 1) return refuse(CloseCode::protocol_error, "a Close frame holds half a code");
        if (!may_be_sent(read_close(payload).code))
            return refuse(CloseCode::protocol_error, "a Close frame holds a code that may not be sent");
        if (!is_utf8(payload.substr(2))) return refuse(CloseCode::bad_data, "the reason of a Close frame is not UTF-8");
    }
    return {status, at + size, payload};
}

/// A message of one frame that is not packed: it stays in the input until it is whole.
WebSocketReader::Step WebSocketReader::read_in_place(std::span<char> in, std::size_t at) {
    const auto size = static_cast<std::size_t>(frame_.size);
    const std::size_t here = std::min(in.size() - at, size);
    const std::span<char> fresh = in.subspan(at + frame_.read, here - frame_.read);
    apply_mask(fresh, frame_.mask, frame_.read);
    frame_.read = here;
    if (text_ && !utf8_.feed({fresh.data(), fresh.size()})) return refuse_text();
    if (here < size) {
        missing_ = size - here;
        return {Status::need_more, at};
    }
    in_frame_ = false;
    if (text_ && !utf8_.complete()) return refuse_text();
    return {text_ ? Status::text : Status::binary, at + size, {in.data() + at, size}};
}

/// A piece of a message that is packed or fragmented.
WebSocketReader::Step WebSocketReader::read_piece(std::span<char> in, std::size_t at) {
    const auto size = static_cast<std::size_t>(frame_.size);
    const std::span<char> piece = in.subspan(at, std::min(in.size() - at, size - frame_.read));
    apply_mask(piece, frame_.mask, frame_.read);
    frame_.read += piece.size();
    at += piece.size();
    in_frame_ = frame_.read < size;
    const bool whole = !in_frame_ && frame_.fin;
    if (!gather({piece.data(), piece.size()}, whole)) return {Status::malformed, at};
    if (!whole) return {Status::need_more, at};
    in_message_ = false;
    handed_out_ = true;
    return {text_ ? Status::text : Status::binary, at, gathered_.readable()};
}

bool WebSocketReader::gather(std::string_view piece, bool last) {
    const std::size_t before = gathered_.size();
    MessageInflater::Status status = MessageInflater::Status::good;
    if (packed_) {
        status = inflater_->add(piece, gathered_, options_.max_message_bytes);
        if (last && status == MessageInflater::Status::good)
            status = inflater_->finish(gathered_, options_.max_message_bytes);
    } else {
        gathered_.append(piece);
    }
    // Text is judged before what ended it, so that the answer does not depend on how the bytes arrived.
    if (text_ && (!utf8_.feed(gathered_.readable().substr(before)) ||
                  (last && status == MessageInflater::Status::good && !utf8_.complete()))) {
        refuse_text();
    } else if (status == MessageInflater::Status::too_large) {
        refuse_size();
    } else if (status == MessageInflater::Status::malformed) {
        refuse(CloseCode::bad_data, "a packed message cannot be unpacked");
    }
    return close_code_ == CloseCode::none;
}

WebSocketReader::Step WebSocketReader::refuse_text() {
    return refuse(CloseCode::bad_data, "a text message is not UTF-8");
}

void WebSocketReader::refuse_size() {
    refuse(CloseCode::too_big, "a message is longer than " + std::to_string(options_.max_message_bytes) + " bytes");
    if (options_.role == WebSocketRole::server) error_.code = core::Code::payload_too_large;
}

WebSocketReader::Step WebSocketReader::refuse(CloseCode code, std::string_view what) {
    const bool upstream = options_.role == WebSocketRole::client;
    close_code_ = code;
    error_.code = upstream ? core::Code::upstream_malformed : core::Code::malformed_http;
    error_.source = upstream ? core::Source::upstream : core::Source::downstream;
    error_.detail.assign("WebSocket: ").append(what);
    gathered_.release();
    return {Status::malformed, 0};
}

}  // namespace oai::http
