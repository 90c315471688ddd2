// The reader of WebSocket frames with permessage-deflate: however the bytes arrive, and against a reader that has all
// of them, unmasks byte by byte and unpacks each message from the beginning of the conversation. What we write is read
// back.

#include <optional>

#include <zlib.h>

#include "fuzz/fuzz.hpp"
#include "fuzz/text.hpp"
#include "http/websocket.hpp"

using namespace oai;
using namespace oai::fuzz;
using Status = http::WebSocketReader::Status;

namespace {

using Options = http::WebSocketReader::Options;

std::string show(std::string_view kind, std::string_view payload) {
    return std::string(kind) + "(" + std::string(payload) + ")\n";
}

std::string read(const std::vector<std::string_view>& pieces, const Options& options) {
    net::BufferPool pool;
    http::WebSocketReader reader(pool, options);
    std::string said, in;
    for (const std::string_view piece : pieces) {
        in.append(piece);
        for (;;) {
            const Block block(in);
            const http::WebSocketReader::Step step = reader.next({block.data(), block.size()});
            require(step.consumed <= block.size(), "no more is consumed than was given");
            require(step.payload.size() <= std::max<std::size_t>(options.max_message_bytes, 125),
                    "messages are bounded");
            switch (step.status) {
                case Status::text:
                    require(plainly_utf8(step.payload, true), "text is UTF-8");
                    said += show("text", step.payload);
                    break;
                case Status::binary: said += show("binary", step.payload); break;
                case Status::ping: said += show("ping", step.payload); break;
                case Status::pong: said += show("pong", step.payload); break;
                case Status::close: said += show("close", step.payload); break;
                case Status::malformed: return said + "bad " + std::to_string(static_cast<int>(reader.close_code()));
                case Status::need_more: break;
            }
            in.assign(block.data() + step.consumed, block.size() - step.consumed);
            if (step.status == Status::need_more) break;
        }
    }
    return said;
}

/// All of the packed bytes of a conversation, with their tails: what is unpacked again and again.
struct Unpacked {
    std::string text;
    bool broken = false;
    bool at_end_of_block = false;
};

Unpacked unpack(std::string packed, std::size_t most) {
    Unpacked out;
    z_stream stream{};
    inflateInit2(&stream, -15);
    stream.next_in = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_in = static_cast<uInt>(packed.size());
    // A block of one byte at a time: slow, and unlike the reader's.
    while (out.text.size() <= most) {
        Bytef byte = 0;
        stream.next_out = &byte;
        stream.avail_out = 1;
        const int status = inflate(&stream, Z_NO_FLUSH);
        if (stream.avail_out == 0) out.text += static_cast<char>(byte);
        // A call that does nothing forgets where it stands.
        if (status == Z_OK) out.at_end_of_block = (stream.data_type & 128) != 0 && (stream.data_type & 63) == 0;
        if (status == Z_STREAM_END) {
            inflateResetKeep(&stream);
            if (stream.avail_in == 0 && stream.avail_out != 0) break;
        } else if (status != Z_OK && status != Z_BUF_ERROR) {
            out.broken = true;
            break;
        } else if (stream.avail_in == 0 && stream.avail_out != 0) {
            break;
        }
    }
    inflateEnd(&stream);
    return out;
}

/// RFC 6455, 5, on all of the bytes. Ends like read().
class Plain {
public:
    explicit Plain(const Options& options) : options_(options) {}

    std::string read(std::string_view in) {
        while (in.size() >= 2) {
            const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(in[i]); };
            const int opcode = byte(0) & 15;
            const bool fin = byte(0) >= 128, packed = (byte(0) & 64) != 0, masked = byte(1) >= 128;
            const bool control = opcode >= 8;
            if (opcode > 10 || (opcode > 2 && opcode < 8) || (byte(0) & 48) != 0) return bad(1002);
            if (packed && (!options_.peer_packs || opcode == 0 || control)) return bad(1002);
            if (masked != (options_.role == http::WebSocketRole::server)) return bad(1002);
            if (control && (!fin || (byte(1) & 127) > 125)) return bad(1002);
            if (!control && (opcode == 0) != message_open_) return bad(1002);
            std::size_t header = 2;
            unsigned long long length = byte(1) & 127;
            const std::size_t more = length < 126 ? 0 : length == 126 ? 2 : 8;
            if (in.size() < header + more + (masked ? 4 : 0)) return said_;
            if (more != 0) length = 0;
            for (std::size_t i = 0; i < more; ++i) length = length * 256 + byte(header++);
            if ((more == 2 && length < 126) || (more == 8 && (length < 65536 || length >= 1ULL << 63)))
                return bad(1002);
            std::string key(4, '\0');
            for (std::size_t i = 0; masked && i < 4; ++i) key[i] = in[header++];
            if (!control) {
                if (opcode != 0) begin(opcode == 1, packed);
                const std::size_t most = options_.max_message_bytes;
                wire_ += length;
                if (length > in.max_size() || wire_ > (packed_ ? most + most / 128 + 64 : most)) return bad(1009);
            }
            std::string payload(in.substr(header, static_cast<std::size_t>(length)));
            const bool whole = payload.size() == length;
            for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(payload[i] ^ key[i % 4]);
            in.remove_prefix(header + payload.size());
            if (control && !whole) return said_;
            if (const int code = control ? take_control(opcode, payload) : take(payload, whole && fin); code != 0)
                return bad(code);
            if (!whole) return said_;
        }
        return said_;
    }

private:
    std::string bad(int code) const { return said_ + "bad " + std::to_string(code); }

    void begin(bool text, bool packed) {
        message_open_ = true;
        text_ = text;
        packed_ = packed;
        raw_.clear();
        wire_ = 0;
    }

    int take_control(int opcode, const std::string& payload) {
        if (opcode == 8 && !payload.empty()) {
            if (payload.size() == 1) return 1002;
            const int code = static_cast<unsigned char>(payload[0]) * 256 + static_cast<unsigned char>(payload[1]);
            const bool good = (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
                              (code >= 3000 && code <= 4999);
            if (!good) return 1002;
            if (!plainly_utf8(payload.substr(2), true)) return 1007;
        }
        said_ += show(opcode == 8 ? "close" : opcode == 9 ? "ping" : "pong", payload);
        return 0;
    }

    int take(const std::string& piece, bool last) {
        raw_ += piece;
        std::string text = raw_;
        if (packed_) {
            const bool takeover = options_.peer_packs->context_takeover;
            const std::string before = takeover ? history_ : std::string();
            const std::size_t skip = takeover ? history_text_ : 0;
            const std::string packed = before + raw_ + (last ? std::string("\x00\x00\xff\xff", 4) : std::string());
            const Unpacked got = unpack(packed, skip + options_.max_message_bytes);
            text = got.text.substr(std::min(skip, got.text.size()));
            if (text_ && !plainly_utf8(text, false)) return 1007;
            if (text.size() > options_.max_message_bytes) return 1009;
            if (got.broken || (last && !got.at_end_of_block)) return 1007;
            if (last && takeover) {
                history_ = packed;
                history_text_ = got.text.size();
            }
        }
        if (text_ && !plainly_utf8(text, last)) return 1007;
        if (last) {
            said_ += show(text_ ? "text" : "binary", text);
            message_open_ = false;
        }
        return 0;
    }

    Options options_;
    std::string said_;
    bool message_open_ = false, text_ = false, packed_ = false;
    unsigned long long wire_ = 0;
    std::string raw_;
    std::string history_;
    std::size_t history_text_ = 0;
};

/// The input as messages of up to 255 bytes, written by us and read back.
void check_writing(Input input, const Options& options, std::uint8_t seed) {
    net::BufferPool pool;
    std::optional<http::MessageDeflater> deflater;
    if (options.peer_packs) deflater.emplace(*options.peer_packs);
    std::string wire, want;
    while (!input.rest().empty()) {
        const std::size_t size = input.byte();
        std::string message(input.rest().substr(0, size));
        for (std::size_t i = 0; i < message.size(); ++i) input.byte();
        // Long enough for each form of a header.
        if (size % 16 == 7) message.resize(message.size() * 300, 'x');
        want += show("binary", message);
        net::Buffer body(pool);
        const bool packed = deflater && size % 3 != 0;
        if (packed) {
            deflater->pack(message, body);
        } else {
            body.append(message);
        }
        std::optional<http::MaskKey> mask;
        if (options.role == http::WebSocketRole::server) mask = 0x01020304U * seed;
        if (mask) http::apply_mask({body.data(), body.size()}, *mask);
        char header[http::kMaxFrameHeader];
        wire.append(header, http::write_frame_header(header, http::Opcode::binary, body.size(), mask, packed));
        wire.append(body.readable());
    }
    Options large = options;
    large.max_message_bytes = 1 << 20;
    std::vector<std::string_view> pieces{wire};
    if (wire.size() < 4096) pieces = pieces_of(wire, seed);
    require_same(read(pieces, large), want, "what is written is what is read");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    const std::uint8_t bits = input.byte();
    Options options;
    options.role = (bits & 1) != 0 ? http::WebSocketRole::client : http::WebSocketRole::server;
    if ((bits & 2) != 0) options.peer_packs = http::DeflateSide{.context_takeover = (bits & 4) != 0};
    options.max_message_bytes = input.byte();
    const std::uint8_t seed = input.byte();
    if ((bits & 8) != 0) {
        check_writing(input, options, seed);
        return 0;
    }
    const std::string whole = read({input.rest()}, options);
    require_same(read(pieces_of(input.rest(), seed), options), whole, "how the bytes arrive changes nothing");
    require_same(whole, Plain(options).read(input.rest()), "messages and refusals are those of the standard");
    return 0;
}
