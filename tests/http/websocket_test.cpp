#include "http/websocket.hpp"

#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "http/splits.hpp"

using namespace oai;
using namespace oai::http;
using namespace std::literals;
using http::test::Random;
using http::test::random_pieces;
using http::test::same_for_every_split;

namespace {

using Status = WebSocketReader::Status;
constexpr WebSocketRole kServer = WebSocketRole::server;
constexpr WebSocketRole kClient = WebSocketRole::client;

/// A frame from its first byte, written here once more and byte by byte. `mask` empty: not masked.
std::string frame(int first, std::string payload, std::string_view mask = {}) {
    std::string out(1, static_cast<char>(first));
    const int bit = mask.empty() ? 0 : 0x80;
    const std::size_t size = payload.size();
    if (size < 126) {
        out += static_cast<char>(bit + static_cast<int>(size));
    } else {
        const int bytes = size < 65536 ? 2 : 8;
        out += static_cast<char>(bit + (bytes == 2 ? 126 : 127));
        for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(size >> (8 * i) & 255);
    }
    out += mask;
    for (std::size_t i = 0; i < size && !mask.empty(); ++i) payload[i] ^= mask[i % 4];
    return out + payload;
}

std::string masked(int first, std::string payload) {
    return frame(first, std::move(payload), "\x37\xfa\x21\x3d");
}

/// "text(hello) ping() ..." and how it ended: nothing, "..." in the middle of a frame or message, or "bad CODE".
std::string read(const std::vector<std::string>& pieces, const WebSocketReader::Options& options) {
    net::BufferPool pool;
    WebSocketReader reader(pool, options);
    std::string said;
    std::string in;
    for (const std::string& piece : pieces) {
        in += piece;
        for (;;) {
            // A block of exactly its size: an access beyond it is caught.
            const std::unique_ptr<char[]> block(new char[in.size()]);
            std::memcpy(block.get(), in.data(), in.size());
            const WebSocketReader::Step step = reader.next({block.get(), in.size()});
            REQUIRE(step.consumed <= in.size());
            const auto show = [&](std::string_view name) {
                said.append(name).append("(").append(step.payload).append(") ");
            };
            switch (step.status) {
                case Status::text: show("text"); break;
                case Status::binary: show("binary"); break;
                case Status::ping: show("ping"); break;
                case Status::pong: show("pong"); break;
                case Status::close: {
                    const CloseReason reason = read_close(step.payload);
                    said += "close " + std::to_string(static_cast<int>(reason.code)) + "(" + std::string(reason.text) +
                            ") ";
                    break;
                }
                case Status::malformed: {
                    const bool too_big = reader.close_code() == CloseCode::too_big;
                    const bool server = options.role == kServer;
                    CHECK(reader.error().code == (!server   ? core::Code::upstream_malformed
                                                  : too_big ? core::Code::payload_too_large
                                                            : core::Code::malformed_http));
                    CHECK(reader.error().detail.size() > "WebSocket: "sv.size());
                    CHECK(reader.next({}).status == Status::malformed);
                    return said + "bad " + std::to_string(static_cast<int>(reader.close_code()));
                }
                case Status::need_more: break;
            }
            in.assign(block.get() + step.consumed, in.size() - step.consumed);
            if (step.status == Status::need_more) break;
        }
    }
    return said + (in.empty() && reader.between_messages() ? "" : "...");
}

std::string read_of(std::string_view input, const WebSocketReader::Options& options) {
    return same_for_every_split(input, [&](const auto& pieces) { return read(pieces, options); });
}

}  // namespace

TEST_CASE("the examples of RFC 6455, 5.7") {
    const WebSocketReader::Options as_client{.role = kClient};
    const WebSocketReader::Options as_server{.role = kServer};
    CHECK(read_of("\x81\x05Hello", as_client) == "text(Hello) ");
    CHECK(read_of("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", as_server) == "text(Hello) ");
    CHECK(read_of("\x01\x03Hel\x80\x02lo", as_client) == "text(Hello) ");
    CHECK(read_of("\x89\x05Hello", as_client) == "ping(Hello) ");
    CHECK(read_of("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", as_server) == "pong(Hello) ");
    const std::string medium(256, 'm'), large(65536, 'l');
    CHECK(read_of("\x82\x7e\x01\x00"s + medium, as_client) == "binary(" + medium + ") ");
    CHECK(read({"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s + large}, as_client) == "binary(" + large + ") ");
}

TEST_CASE("a conversation is read the same however it arrives, by either role") {
    const auto conversation = [](auto one) {
        return one(0x81, "{\"type\":\"x\"}") + one(0x89, "") + one(0x01, "fr") + one(0x89, "in between") +
               one(0x00, "") + one(0x00, "agm") + one(0x8a, "p") + one(0x80, "ents") +
               one(0x82, std::string(130, '\xff')) + one(0x81, "") + one(0x01, "\xe2\x82") + one(0x80, "\xac") +
               one(0x02, "") + one(0x80, "") +
               one(0x88,
                   "\x03\xe8"
                   "bye");
    };
    const std::string want = "text({\"type\":\"x\"}) ping() ping(in between) pong(p) text(fragments) binary(" +
                             std::string(130, '\xff') + ") text() text(\xe2\x82\xac) binary() close 1000(bye) ";
    CHECK(read_of(conversation([](int f, std::string p) { return frame(f, std::move(p)); }), {.role = kClient}) ==
          want);
    CHECK(read_of(conversation([](int f, std::string p) { return masked(f, std::move(p)); }), {.role = kServer}) ==
          want);
}

TEST_CASE("what breaks a rule is refused with the code the rule names") {
    struct Row {
        const char* name;
        std::string input;
        const char* want;
    };
    const std::string good = masked(0x81, "a");
    const Row rows[] = {
        {"no mask", frame(0x81, "a"), "bad 1002"},
        {"no mask on a ping", frame(0x89, ""), "bad 1002"},
        {"reserved opcode 3", masked(0x83, "a"), "bad 1002"},
        {"reserved opcode 7", masked(0x87, "a"), "bad 1002"},
        {"reserved opcode 11", masked(0x8B, ""), "bad 1002"},
        {"reserved opcode 15", masked(0x8F, ""), "bad 1002"},
        {"RSV1 without an agreement", masked(0xC1, "a"), "bad 1002"},
        {"RSV2", masked(0xA1, "a"), "bad 1002"},
        {"RSV3", masked(0x91, "a"), "bad 1002"},
        {"RSV3 on a pong", masked(0x9A, "a"), "bad 1002"},
        {"a good message first", good + masked(0x91, "a"), "text(a) bad 1002"},
        {"a fragmented ping", masked(0x09, "a"), "bad 1002"},
        {"a fragmented close", masked(0x08, ""), "bad 1002"},
        {"a ping of 125 bytes is one", masked(0x89, std::string(125, 'p')), nullptr},
        {"a ping of 126 bytes", masked(0x89, std::string(126, 'p')), "bad 1002"},
        {"a continuation of nothing", masked(0x80, "a"), "bad 1002"},
        {"a continuation of a whole message", good + masked(0x80, "a"), "text(a) bad 1002"},
        {"a text within a text", masked(0x01, "a") + masked(0x81, "b"), "bad 1002"},
        {"a binary within a text", masked(0x01, "a") + masked(0x02, "b"), "bad 1002"},
        {"16 bits for 125", "\x82\xfe\x00\x7d____"s, "bad 1002"},
        {"64 bits for 65535", "\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff____"s, "bad 1002"},
        {"2^63", "\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00____"s, "bad 1002"},
        {"2^63 - 1", "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff____"s, "bad 1009"},
        {"one byte over the bound", "\x82\xfe\x03\xe9____"s, "bad 1009"},
        {"a sum over the bound", masked(0x01, std::string(600, 'a')) + "\x80\xfe\x01\x91____", "bad 1009"},
        {"text that is not UTF-8", masked(0x81, "caf\xe9"), "bad 1007"},
        {"half a character at the end", masked(0x81, "\xe2\x82"), "bad 1007"},
        {"half a character at the end of fragments", masked(0x01, "\xe2") + masked(0x80, "\x82"), "bad 1007"},
        {"a surrogate over two fragments", masked(0x01, "\xed") + masked(0x00, "\xa0"), "bad 1007"},
        {"an overlong slash", masked(0x81, "\xc0\xaf"), "bad 1007"},
        {"binary may be anything", masked(0x82, "\xc0\xaf"), "binary(\xc0\xaf) "},
        {"a close without a code", masked(0x88, ""), "close 1005() "},
        {"a close of one byte", masked(0x88, "\x03"), "bad 1002"},
        {"a close with 1004", masked(0x88, "\x03\xec"), "bad 1002"},
        {"a close with 1005", masked(0x88, "\x03\xed"), "bad 1002"},
        {"a close with 1006", masked(0x88, "\x03\xee"), "bad 1002"},
        {"a close with 1015", masked(0x88, "\x03\xf7"), "bad 1002"},
        {"a close with 999", masked(0x88, "\x03\xe7"), "bad 1002"},
        {"a close with 2999", masked(0x88, "\x0b\xb7"), "bad 1002"},
        {"a close with 3000", masked(0x88, "\x0b\xb8"), "close 3000() "},
        {"a close with 4999", masked(0x88, "\x13\x87ok"), "close 4999(ok) "},
        {"a close with 5000", masked(0x88, "\x13\x88"), "bad 1002"},
        {"a close whose reason is not UTF-8", masked(0x88, "\x03\xe8\xff"), "bad 1007"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const std::string got = read_of(row.input, {.role = kServer, .max_message_bytes = 1000});
        const std::string want = row.want == nullptr ? "ping(" + std::string(125, 'p') + ") " : row.want;
        CHECK(got == want);
    }
    CHECK(read_of(masked(0x81, "a"), {.role = kClient}) == "bad 1002");
}

TEST_CASE("a refusal does not wait for bytes that cannot change it") {
    CHECK(read({"\x81\x01"}, {.role = kServer}) == "bad 1002");
    CHECK(read({"\x82\xfe\x03\xe9____"s}, {.role = kServer, .max_message_bytes = 1000}) == "bad 1009");
    // The second byte is wrong, 98 are still to come.
    CHECK(read({"\x81\x64"
                "a\xff"s},
               {.role = kClient}) == "bad 1007");
}

TEST_CASE("what is unfinished needs more, and says how much of a frame is missing") {
    const std::string message = masked(0x01, "ab") + masked(0x80, "cd");
    for (std::size_t size = 1; size < message.size(); ++size) {
        CAPTURE(size);
        CHECK(read({message.substr(0, size)}, {.role = kServer}) == "...");
    }
    net::BufferPool pool;
    WebSocketReader reader(pool, {.role = kClient});
    std::string in = "\x82\x7e\x01\x00"s;
    WebSocketReader::Step step = reader.next(in);
    CHECK(step.consumed == 4);
    CHECK(reader.missing() == 256);
    in.assign(100, 'x');
    step = reader.next(in);
    CHECK(step.consumed == 0);
    CHECK(reader.missing() == 156);
    // The whole message lies in the input and stays there.
    in.resize(300, 'y');
    step = reader.next(in);
    CHECK(step.status == Status::binary);
    CHECK(step.consumed == 256);
    CHECK(step.payload.data() == in.data());
}

TEST_CASE("what is written is what is read, in the shortest header") {
    struct Row {
        std::size_t size;
        std::size_t header;
    };
    const Row rows[] = {{0, 2}, {1, 2}, {125, 2}, {126, 4}, {65535, 4}, {65536, 10}, {200'000, 10}};
    Random random(11);
    for (const Row& row : rows) {
        for (const WebSocketRole reader : {kServer, kClient}) {
            CAPTURE(row.size);
            std::optional<MaskKey> mask;
            if (reader == kServer) mask = static_cast<MaskKey>(random.below(0xFFFFFFFF));
            std::string payload(row.size, '\0');
            for (char& c : payload) c = static_cast<char>(random.below(256));
            std::array<char, kMaxFrameHeader> header{};
            const std::size_t size = write_frame_header(header.data(), Opcode::binary, row.size, mask);
            CHECK(size == row.header + (mask ? 4 : 0));
            std::string coded(header.data(), size);
            std::string body = payload;
            if (mask) apply_mask(body, *mask);
            coded += body;
            CHECK(read(random_pieces(coded, random), {.role = reader}) == "binary(" + payload + ") ");
        }
    }
}

TEST_CASE("masking is that of RFC 6455, 5.3, at every offset and length") {
    MaskKey key = 0;
    std::memcpy(&key, "\x37\xfa\x21\x3d", 4);
    for (std::size_t size = 0; size < 40; ++size) {
        for (std::size_t offset = 0; offset < 9; ++offset) {
            std::string bytes, want;
            for (std::size_t i = 0; i < size; ++i) {
                bytes += static_cast<char>(i * 7);
                want += static_cast<char>(bytes[i] ^ "\x37\xfa\x21\x3d"[(offset + i) % 4]);
            }
            apply_mask(bytes, key, offset);
            CHECK(bytes == want);
        }
    }
}

TEST_CASE("a reason that is too long is cut between two characters") {
    std::array<char, kMaxControlPayload> out{};
    const auto written = [&](std::string_view text) {
        return std::string(out.data(), write_close(out.data(), {CloseCode::policy, text}));
    };
    CHECK(written("") == "\x03\xf0");
    CHECK(written("no") == "\x03\xf0no");
    const std::string longest(123, 'x');
    CHECK(written(longest) == "\x03\xf0" + longest);
    CHECK(written(longest + "y") == "\x03\xf0" + longest);
    // 41 characters of three bytes are 123; after one byte, 40 of them fit and two bytes are left over.
    std::string euros = "x";
    for (int i = 0; i < 60; ++i) euros += "\xe2\x82\xac";
    CHECK(written(euros) == "\x03\xf0" + euros.substr(0, 121));
}

TEST_CASE("no mutation crashes the reader, and how it arrives changes nothing") {
    const std::string conversation = masked(0x81, "hello") + masked(0x01, "fr\xe2\x82") + masked(0x89, "p") +
                                     masked(0x80, "\xac") + masked(0xC1, "\xf2\x48\xcd\xc9\xc9\x07\x00"s) +
                                     masked(0x88, "\x03\xe8");
    Random random(20260713);
    for (int round = 0; round < 4000; ++round) {
        const std::string input = http::test::mutate(conversation, random);
        const WebSocketReader::Options options{
            .role = kServer, .peer_packs = DeflateSide{}, .max_message_bytes = random.below(16)};
        CAPTURE(input);
        CHECK(read(random_pieces(input, random), options) == read({input}, options));
    }
}
