#include "http/websocket_deflate.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <zlib.h>

#include "http/splits.hpp"
#include "http/websocket.hpp"

using namespace oai;
using namespace oai::http;
using namespace std::literals;
using http::test::Random;

namespace {

std::string show(const std::optional<Deflate>& terms) {
    if (!terms) return "none";
    const auto side = [](const DeflateSide& s) {
        return std::to_string(s.window_bits) + (s.context_takeover ? "" : " forgets");
    };
    return "client " + side(terms->client) + ", server " + side(terms->server);
}

Fields offers(std::vector<std::string_view> values) {
    Fields fields;
    for (const std::string_view value : values) fields.push_back({"Sec-WebSocket-Extensions", value});
    return fields;
}

/// Messages packed by zlib alone, without our code: the oracle.
class PlainDeflate {
public:
    explicit PlainDeflate(int bits = 15) { deflateInit2(&stream_, 6, Z_DEFLATED, -bits, 8, Z_DEFAULT_STRATEGY); }
    ~PlainDeflate() { deflateEnd(&stream_); }
    PlainDeflate(const PlainDeflate&) = delete;

    std::string operator()(std::string_view message, int flush = Z_SYNC_FLUSH) {
        std::string out(message.size() + 1000, '\0');
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(message.data()));
        stream_.avail_in = static_cast<uInt>(message.size());
        stream_.next_out = reinterpret_cast<Bytef*>(out.data());
        stream_.avail_out = static_cast<uInt>(out.size());
        deflate(&stream_, flush);
        out.resize(out.size() - stream_.avail_out);
        if (flush == Z_SYNC_FLUSH) out.resize(out.size() - 4);
        return out;
    }

private:
    z_stream stream_{};
};

/// The other way round.
class PlainInflate {
public:
    explicit PlainInflate(int bits = 15) { inflateInit2(&stream_, -bits); }
    ~PlainInflate() { inflateEnd(&stream_); }
    PlainInflate(const PlainInflate&) = delete;

    std::string operator()(std::string packed) {
        packed.append("\x00\x00\xff\xff"sv);
        std::string out(3'000'000, '\0');
        stream_.next_in = reinterpret_cast<Bytef*>(packed.data());
        stream_.avail_in = static_cast<uInt>(packed.size());
        stream_.next_out = reinterpret_cast<Bytef*>(out.data());
        stream_.avail_out = static_cast<uInt>(out.size());
        const int status = inflate(&stream_, Z_SYNC_FLUSH);
        CHECK((status == Z_OK || status == Z_BUF_ERROR));
        CHECK(stream_.avail_in == 0);
        out.resize(out.size() - stream_.avail_out);
        return out;
    }

private:
    z_stream stream_{};
};

/// One message through an MessageInflater, in pieces.
std::string unpack(MessageInflater& inflater, const std::vector<std::string>& pieces, std::size_t limit = 1 << 20) {
    net::BufferPool pool;
    net::Buffer out(pool);
    MessageInflater::Status status = MessageInflater::Status::good;
    for (const std::string& piece : pieces) {
        if (status == MessageInflater::Status::good) status = inflater.add(piece, out, limit);
    }
    if (status == MessageInflater::Status::good) status = inflater.finish(out, limit);
    CHECK(out.size() <= limit + 1);
    if (status == MessageInflater::Status::too_large) return "too large";
    return status == MessageInflater::Status::good ? std::string(out.readable()) : "malformed";
}

std::string pack(MessageDeflater& deflater, std::string_view message) {
    net::BufferPool pool;
    net::Buffer out(pool);
    deflater.pack(message, out);
    return std::string(out.readable());
}

/// Text that packs somewhat, as JSON does.
std::string some_text(Random& random, std::size_t size) {
    constexpr std::string_view words[] = {"{\"type\":\"response.output_text.delta\",", "\"delta\":\"", "hello ", "x",
                                          "\"}"};
    std::string text;
    while (text.size() < size) {
        if (random.below(4) == 0) {
            text += static_cast<char>('a' + random.below(26));
        } else {
            text += words[random.below(5)];
        }
    }
    text.resize(size);
    return text;
}

}  // namespace

TEST_CASE("the server takes the first offer that it can keep") {
    struct Row {
        const char* name;
        std::vector<std::string_view> offers;
        Deflate most;
        const char* want;
        const char* answer;
    };
    const Deflate all{};
    const Deflate forgetful{{false, 15}, {false, 15}};
    const Deflate small{{true, 10}, {true, 11}};
    const Row rows[] = {
        {"nothing offered", {}, all, "none", ""},
        {"something else offered", {"x-webkit-deflate-frame"}, all, "none", ""},
        {"the bare offer", {"permessage-deflate"}, all, "client 15, server 15", "permessage-deflate"},
        {"names are compared without case",
         {"PerMessage-Deflate; Server_No_Context_Takeover"},
         all,
         "client 15, server 15 forgets",
         "permessage-deflate; server_no_context_takeover"},
        {"what browsers offer",
         {"permessage-deflate; client_max_window_bits"},
         all,
         "client 15, server 15",
         "permessage-deflate"},
        {"we forget by policy, and the client is told to",
         {"permessage-deflate; client_max_window_bits"},
         forgetful,
         "client 15 forgets, server 15 forgets",
         "permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
        {"the client limits us",
         {"permessage-deflate; server_max_window_bits=10"},
         all,
         "client 15, server 10",
         "permessage-deflate; server_max_window_bits=10"},
        {"a limit of 15 is confirmed too",
         {"permessage-deflate; server_max_window_bits=15"},
         all,
         "client 15, server 15",
         "permessage-deflate; server_max_window_bits=15"},
        {"we limit both",
         {"permessage-deflate; client_max_window_bits"},
         small,
         "client 10, server 11",
         "permessage-deflate; server_max_window_bits=11; client_max_window_bits=10"},
        {"the client limits itself",
         {"permessage-deflate; client_max_window_bits=9"},
         small,
         "client 9, server 11",
         "permessage-deflate; server_max_window_bits=11; client_max_window_bits=9"},
        {"a client that does not know the parameter is not limited",
         {"permessage-deflate"},
         small,
         "client 15, server 11",
         "permessage-deflate; server_max_window_bits=11"},
        {"the client wants to pack with 8",
         {"permessage-deflate; client_max_window_bits=8"},
         all,
         "client 8, server 15",
         "permessage-deflate; client_max_window_bits=8"},
        {"we cannot pack with 8", {"permessage-deflate; server_max_window_bits=8"}, all, "none", ""},
        {"the second offer then",
         {"permessage-deflate; server_max_window_bits=8, permessage-deflate; client_no_context_takeover"},
         all,
         "client 15 forgets, server 15",
         "permessage-deflate; client_no_context_takeover"},
        {"also in a second field",
         {"foo; a=\"b\"", "permessage-deflate"},
         all,
         "client 15, server 15",
         "permessage-deflate"},
        {"a quoted value",
         {"permessage-deflate; server_max_window_bits=\"12\""},
         all,
         "client 15, server 12",
         "permessage-deflate; server_max_window_bits=12"},
        {"an unknown parameter", {"permessage-deflate; level=9"}, all, "none", ""},
        {"a parameter twice",
         {"permessage-deflate; client_max_window_bits; client_max_window_bits=9"},
         all,
         "none",
         ""},
        {"a flag twice",
         {"permessage-deflate; server_no_context_takeover; server_no_context_takeover"},
         all,
         "none",
         ""},
        {"a flag with a value", {"permessage-deflate; server_no_context_takeover=1"}, all, "none", ""},
        {"a missing value", {"permessage-deflate; server_max_window_bits"}, all, "none", ""},
        {"7 bits", {"permessage-deflate; server_max_window_bits=7"}, all, "none", ""},
        {"16 bits", {"permessage-deflate; client_max_window_bits=16"}, all, "none", ""},
        {"a leading zero", {"permessage-deflate; client_max_window_bits=010"}, all, "none", ""},
        {"an empty value", {"permessage-deflate; client_max_window_bits="}, all, "none", ""},
        {"an empty parameter", {"permessage-deflate; ; client_max_window_bits"}, all, "none", ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const std::optional<AcceptedDeflate> got = accept_deflate(offers(row.offers), row.most);
        CHECK(show(got ? std::optional(got->agreed) : std::nullopt) == row.want);
        CHECK((got ? got->answer : "") == row.answer);
    }
}

TEST_CASE("the client offers what it wants and checks the answer against it") {
    struct Row {
        const char* name;
        std::optional<Deflate> offered;
        std::vector<std::string_view> answer;
        const char* want;
    };
    const Deflate all{};
    const Deflate small{{false, 10}, {false, 12}};
    const char* const wrong = "refused";
    CHECK(deflate_offer(all) == "permessage-deflate; client_max_window_bits");
    CHECK(deflate_offer(small) ==
          "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12; "
          "client_max_window_bits=10");
    const Row rows[] = {
        {"no answer", all, {}, "none"},
        {"nothing offered, nothing answered", std::nullopt, {}, "none"},
        {"nothing offered, but answered", std::nullopt, {"permessage-deflate"}, wrong},
        {"another extension", all, {"x-webkit-deflate-frame"}, wrong},
        {"the bare answer", all, {"permessage-deflate"}, "client 15, server 15"},
        {"the answer twice", all, {"permessage-deflate, permessage-deflate"}, wrong},
        {"the server limits us",
         all,
         {"permessage-deflate; client_max_window_bits=11; client_no_context_takeover"},
         "client 11 forgets, server 15"},
        {"the server limits itself",
         all,
         {"permessage-deflate; server_max_window_bits=8; server_no_context_takeover"},
         "client 15, server 8 forgets"},
        {"we cannot pack with 8", all, {"permessage-deflate; client_max_window_bits=8"}, wrong},
        {"a missing value", all, {"permessage-deflate; client_max_window_bits"}, wrong},
        {"an unknown parameter", all, {"permessage-deflate; x"}, wrong},
        {"what was asked for is granted",
         small,
         {"permessage-deflate; server_no_context_takeover; server_max_window_bits=12"},
         "client 10 forgets, server 12 forgets"},
        {"a larger window than asked for",
         small,
         {"permessage-deflate; server_no_context_takeover; server_max_window_bits=13"},
         wrong},
        {"the window is not granted", small, {"permessage-deflate; server_no_context_takeover"}, wrong},
        {"forgetting is not granted", small, {"permessage-deflate; server_max_window_bits=12"}, wrong},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const auto got = check_deflate_answer(offers(row.answer), row.offered);
        CHECK((got ? show(*got) : wrong) == row.want);
        if (!got) CHECK(got.error().code == core::Code::upstream_malformed);
    }
}

TEST_CASE("the examples of RFC 7692, 7.2.3") {
    const auto read = [](std::string input) {
        net::BufferPool pool;
        WebSocketReader reader(pool, {.role = WebSocketRole::client, .peer_packs = DeflateSide{}});
        std::string said;
        for (;;) {
            const WebSocketReader::Step step = reader.next(input);
            if (step.status == WebSocketReader::Status::need_more) return said;
            if (step.status == WebSocketReader::Status::malformed) return said + "bad";
            said.append(step.payload).append("|");
            input.erase(0, step.consumed);
        }
    };
    const std::string hello = "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"s;
    CHECK(read(hello) == "Hello|");
    CHECK(read("\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00"s) == "Hello|");
    CHECK(read(hello + "\xc1\x05\xf2\x00\x11\x00\x00"s) == "Hello|Hello|");
    CHECK(read("\xc1\x0b\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s) == "Hello|");
    // A block that says it is the last one, then one that refers to the message before it.
    CHECK(read("\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s) == "Hello|");
    CHECK(read("\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s + "\xc1\x05\xf2\x00\x11\x00\x00"s) == "Hello|Hello|");
    CHECK(read("\xc1\x0d\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s) == "Hello|");
    CHECK(read("\xc1\x01\x00"s) == "|");
    // Not packed although it might be; a packed control frame; a packed continuation.
    CHECK(read("\x81\x02hi") == "hi|");
    CHECK(read("\xc9\x01\x00"s) == "bad");
    CHECK(read("\x41\x03\xf2\x48\xcd\xc0\x04\xc9\xc9\x07\x00"s) == "bad");
}

TEST_CASE("what zlib packed is unpacked, and the other way round, over many messages") {
    Random random(5);
    for (const bool takeover : {true, false}) {
        for (const int bits : {9, 12, 15}) {
            CAPTURE(takeover);
            CAPTURE(bits);
            const DeflateSide side{takeover, bits};
            MessageInflater inflater(side);
            MessageDeflater deflater(side);
            std::optional<PlainDeflate> plain_deflate(bits);
            std::optional<PlainInflate> plain_inflate(bits);
            for (int round = 0; round < 12; ++round) {
                const std::string message = some_text(random, random.below(round % 3 == 0 ? 100'000 : 400));
                if (!takeover) plain_deflate.emplace(bits);
                if (!takeover) plain_inflate.emplace(bits);
                const std::string packed = message.empty() ? "\0"s : (*plain_deflate)(message);
                CHECK(unpack(inflater, http::test::random_pieces(packed, random)) == message);
                CHECK((*plain_inflate)(pack(deflater, message)) == message);
                CHECK((*plain_inflate)(pack(deflater, "")).empty());
            }
        }
    }
}

TEST_CASE("a context that is taken over packs better, one that is not makes messages independent") {
    Random random(6);
    const std::string message = some_text(random, 1000);
    MessageDeflater keeps(DeflateSide{true, 15}), forgets(DeflateSide{false, 15});
    const std::string first = pack(keeps, message);
    CHECK(pack(keeps, message).size() < first.size() / 4);
    CHECK(pack(forgets, message) == first);
    CHECK(pack(forgets, message) == first);
    MessageInflater keeper(DeflateSide{true, 15}), forgetter(DeflateSide{false, 15});
    const std::string second = [&] {
        MessageDeflater again(DeflateSide{true, 15});
        pack(again, message);
        return pack(again, message);
    }();
    CHECK(unpack(keeper, {first}) == message);
    CHECK(unpack(keeper, {second}) == message);
    CHECK(unpack(forgetter, {first}) == message);
    CHECK(unpack(forgetter, {second}) == "malformed");
}

TEST_CASE("unpacking stops at the bound, and refuses what is cut or damaged") {
    PlainDeflate bomb;
    const std::string packed = bomb(std::string(1'000'000, 'a'));
    CHECK(packed.size() < 2000);
    MessageInflater exact(DeflateSide{}), one_less(DeflateSide{}), small(DeflateSide{});
    CHECK(unpack(exact, {packed}, 1'000'000).size() == 1'000'000);
    CHECK(unpack(one_less, {packed}, 999'999) == "too large");
    CHECK(unpack(small, {packed}, 0) == "too large");
    PlainDeflate again;
    const std::string hello = again("hello hello hello hello");
    for (std::size_t size = 0; size < hello.size(); ++size) {
        CAPTURE(size);
        MessageInflater inflater(DeflateSide{});
        CHECK(unpack(inflater, {hello.substr(0, size)}) == "malformed");
    }
    MessageInflater inflater(DeflateSide{});
    CHECK(unpack(inflater, {"\x07"}) == "malformed");
}

TEST_CASE("a packed message is bounded on the wire too") {
    // Empty blocks: each costs five bytes and gives nothing.
    net::BufferPool pool;
    WebSocketReader reader(pool,
                           {.role = WebSocketRole::client, .peer_packs = DeflateSide{}, .max_message_bytes = 128});
    std::string blocks;
    for (int i = 0; i < 60; ++i) blocks.append("\x00\x00\x00\xff\xff"sv);
    std::string in =
        "\x42\x7e"s + static_cast<char>(blocks.size() >> 8) + static_cast<char>(blocks.size() & 255) + blocks;
    CHECK(reader.next(in).status == WebSocketReader::Status::malformed);
    CHECK(reader.close_code() == CloseCode::too_big);
}
