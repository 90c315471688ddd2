// Conversations over loopback: both roles of ours against each other, and against raw bytes.
#include "http/websocket_connection.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include "http/server.hpp"
#include "net/connect.hpp"
#include "net/listener.hpp"

using namespace oai;
using namespace oai::http;
using namespace std::chrono_literals;
using namespace std::literals;
using net::Awaitable;

namespace {

/// A worker with a server whose connections are WebSockets; `session` is the server's side of each.
struct Loop {
    using Session = std::function<Awaitable<void>(WebSocket&)>;

    explicit Loop(Session its_session, std::optional<Deflate> its_deflate = {})
        : session(std::move(its_session)),
          deflate(its_deflate),
          listener(std::move(*net::Listener::open(worker, net::ListenAddress{"127.0.0.1", 0}, false))) {
        listener->start([this](net::Socket socket) {
            worker.spawn(serve_connection(worker, std::move(socket), *this, ServerTimeouts{}));
        });
    }

    Awaitable<bool> handle(Connection& connection, RequestHead& head) {
        if (const std::optional<UpgradeRefusal> refusal = refuse_websocket(head)) {
            const std::string text =
                "HTTP/1.1 " + std::to_string(refusal->status) + " No\r\ncontent-length: 4\r\n\r\nbody";
            const net::Pieces pieces{text};
            co_return co_await connection.stream->write(pieces);
        }
        const core::Result<std::optional<Deflate>> agreed = co_await accept_websocket(connection, head, deflate);
        if (!agreed) co_return false;
        WebSocket::Options server = options;
        server.role = WebSocketRole::server;
        server.deflate = *agreed;
        WebSocket socket(connection, server);
        socket.set_deadline(std::chrono::steady_clock::now() + 10s);
        co_await session(socket);
        co_return false;
    }
    Awaitable<void> refuse(Connection&, const core::Error& error) {
        FAIL_CHECK(error.detail);
        co_return;
    }

    Awaitable<std::unique_ptr<Connection>> connect() {
        const std::string host = "127.0.0.1";
        const core::TimePoint deadline = std::chrono::steady_clock::now() + 10s;
        core::Result<std::unique_ptr<net::Stream>> stream =
            co_await net::connect(worker, host, listener->port(), deadline);
        REQUIRE(stream);
        auto connection = std::make_unique<Connection>(worker, std::move(*stream));
        connection->stream->set_deadline(deadline);
        co_return connection;
    }

    /// The client's side: `with` gets a WebSocket that is open.
    void run(Session with) { spawn_and_stop(as_client(std::move(with))); }
    void run_raw(std::function<Awaitable<void>(Connection&)> with) { spawn_and_stop(as_raw(std::move(with))); }

    net::Worker worker{"test"};
    Session session;
    std::optional<Deflate> deflate;
    WebSocket::Options options{.max_message_bytes = 4 << 20, .close_patience = 5s};
    std::unique_ptr<net::Listener> listener;

private:
    void spawn_and_stop(Awaitable<void> task) {
        worker.spawn(until_done(std::move(task)));
        worker.run();
        CHECK(worker.escaped_exceptions() == 0);
    }
    Awaitable<void> until_done(Awaitable<void> task) {
        co_await std::move(task);
        listener->close();
        // The server's side ends by itself.
        while (worker.sessions() > 1) co_await boost::asio::post(worker.executor(), net::use_awaitable);
        worker.stop();
    }
    Awaitable<void> as_client(Session with) {
        std::unique_ptr<Connection> connection = co_await connect();
        const WebSocketRequest request{.authority = "test", .target = "/", .deflate = deflate};
        const core::Result<std::optional<Deflate>> agreed = co_await open_websocket(*connection, request);
        REQUIRE(agreed);
        CHECK(agreed->has_value() == deflate.has_value());
        WebSocket::Options client = options;
        client.role = WebSocketRole::client;
        client.deflate = *agreed;
        WebSocket socket(*connection, client);
        co_await with(socket);
    }
    Awaitable<void> as_raw(std::function<Awaitable<void>(Connection&)> with) {
        std::unique_ptr<Connection> connection = co_await connect();
        const std::string request =
            "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
            "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        const net::Pieces pieces{request};
        co_await connection->stream->write(pieces);
        ResponseHead& head = connection->response_head();
        const core::Result<void> answered = co_await read_response_head(*connection, "GET", head);
        REQUIRE(answered);
        CHECK(head.status == 101);
        co_await with(*connection);
    }
};

Awaitable<void> echo(WebSocket& socket) {
    for (;;) {
        const core::Result<WebSocketMessage> message = co_await socket.read();
        if (!message || message->kind == WebSocketMessage::Kind::closed) break;
        const bool text = message->kind == WebSocketMessage::Kind::text;
        core::Result<void> sent;
        if (text) {
            sent = co_await socket.write(message->payload);
        } else {
            sent = co_await socket.write_binary(message->payload);
        }
        if (!sent) break;
    }
}

/// One message as "t:..." or "b:...", "closed CODE reason", or "error: ...".
Awaitable<std::string> next(WebSocket& socket) {
    const core::Result<WebSocketMessage> message = co_await socket.read();
    if (!message) co_return "error: " + message.error().detail;
    switch (message->kind) {
        case WebSocketMessage::Kind::text: co_return "t:" + std::string(message->payload);
        case WebSocketMessage::Kind::binary: co_return "b:" + std::string(message->payload);
        default: break;
    }
    co_return "closed " + std::to_string(static_cast<int>(*socket.peer_close_code())) + " " +
        socket.peer_close_reason();
}

/// Whatever the other side sends until it closes or the bytes are enough.
Awaitable<std::string> read_raw(Connection& connection, std::size_t enough) {
    while (connection.in.size() < enough) {
        const std::size_t n = co_await connection.read_more();
        if (!connection.got(n)) break;
    }
    std::string all(connection.in.readable());
    connection.in.clear();
    co_return all;
}

Awaitable<void> write_raw(Connection& connection, std::string bytes) {
    const net::Pieces pieces{bytes};
    const bool written = co_await connection.stream->write(pieces);
    CHECK(written);
}

std::string text_of(std::size_t size, char seed) {
    std::string text;
    while (text.size() < size) text += "{\"delta\":\"" + std::to_string(text.size() * 7919 % 1000) + seed + "\"}";
    text.resize(size);
    return text;
}

}  // namespace

TEST_CASE("messages of any size go both ways, packed or not") {
    const std::optional<Deflate> terms[] = {std::nullopt, Deflate{}, Deflate{{false, 15}, {false, 12}},
                                            Deflate{{true, 10}, {false, 15}}};
    for (const std::optional<Deflate>& deflate : terms) {
        Loop loop(echo, deflate);
        loop.run([](WebSocket& socket) -> Awaitable<void> {
            for (const std::size_t size : {0UL, 1UL, 125UL, 126UL, 2000UL, 65535UL, 65536UL, 1'000'000UL, 3UL}) {
                CAPTURE(size);
                const std::string text = text_of(size, 'x');
                const core::Result<void> sent = co_await socket.write(text);
                CHECK(sent);
                const std::string got = co_await next(socket);
                CHECK(got == "t:" + text);
            }
            const std::string bytes = "\x00\xff\xc0"s;
            const core::Result<void> sent = co_await socket.write_binary(bytes);
            CHECK(sent);
            const std::string got = co_await next(socket);
            CHECK(got == "b:" + bytes);
            co_await socket.close(CloseCode::normal, "done");
            CHECK(socket.peer_close_code() == CloseCode::normal);
        });
    }
}

TEST_CASE("packing is seen on the wire") {
    Loop loop(echo, Deflate{});
    loop.run([](WebSocket& socket) -> Awaitable<void> {
        const std::string text(100'000, 'a');
        const core::Result<void> sent = co_await socket.write(text);
        CHECK(sent);
        const std::string got = co_await next(socket);
        CHECK(got == "t:" + text);
        co_await socket.close(CloseCode::normal);
    });
    // Raw: offers nothing, so nothing is packed although the server would.
    Loop raw(echo, Deflate{});
    raw.run_raw([](Connection& connection) -> Awaitable<void> {
        const std::string text = text_of(2000, 'r');
        std::array<char, kMaxFrameHeader> header{};
        const std::size_t size = write_frame_header(header.data(), Opcode::text, text.size(), MaskKey{0});
        co_await write_raw(connection, std::string(header.data(), size) + text);
        const std::string got = co_await read_raw(connection, 4 + text.size());
        CHECK(got == "\x81\x7e\x07\xd0" + text);
        connection.stream->close();
    });
}

TEST_CASE("pings are answered while a message is awaited, and pongs are noted") {
    Loop loop(echo);
    loop.run([](WebSocket& socket) -> Awaitable<void> {
        CHECK(socket.pong_at() == core::TimePoint{});
        const core::TimePoint before = std::chrono::steady_clock::now();
        const core::Result<void> pinged = co_await socket.ping("are you there");
        CHECK(pinged);
        const core::Result<void> sent = co_await socket.write("x");
        CHECK(sent);
        const std::string got = co_await next(socket);
        CHECK(got == "t:x");
        CHECK(socket.pong_at() >= before);
        co_await socket.close(CloseCode::normal);
    });
    Loop raw(echo);
    raw.run_raw([](Connection& connection) -> Awaitable<void> {
        co_await write_raw(connection, "\x89\x83\0\0\0\0abc\x01\x81\0\0\0\0d\x89\x80\0\0\0\0\x80\x81\0\0\0\0e"s);
        const std::string got = co_await read_raw(connection, 11);
        CHECK(got ==
              "\x8a\x03"
              "abc"
              "\x8a\x00"
              "\x81\x02"
              "de"s);
        connection.stream->close();
    });
}

TEST_CASE("a close is answered with its own code, by either side, and both know it") {
    std::string server_saw;
    Loop loop([&](WebSocket& socket) -> Awaitable<void> { server_saw = co_await next(socket); });
    loop.run([](WebSocket& socket) -> Awaitable<void> {
        co_await socket.close(CloseCode::going_away, "the reason");
        CHECK(socket.closing());
        CHECK(socket.peer_close_code() == CloseCode::going_away);
        const core::Result<void> late = co_await socket.write("late");
        CHECK_FALSE(late);
        CHECK(late.error().retryable);
    });
    CHECK(server_saw == "closed 1001 the reason");

    Loop other([](WebSocket& socket) -> Awaitable<void> { co_await socket.close(CloseCode::try_again_later, "busy"); });
    other.run([](WebSocket& socket) -> Awaitable<void> {
        const std::string got = co_await next(socket);
        CHECK(got == "closed 1013 busy");
        const std::string again = co_await next(socket);
        CHECK(again == got);
    });
    // Messages that were under way when we closed are dropped on the way to the peer's Close.
    Loop busy([](WebSocket& socket) -> Awaitable<void> {
        const core::Result<void> first = co_await socket.write("one");
        const core::Result<void> second = co_await socket.write("two");
        CHECK(first);
        CHECK(second);
        const std::string got = co_await next(socket);
        CHECK(got == "closed 1000 ");
    });
    busy.run([](WebSocket& socket) -> Awaitable<void> { co_await socket.close(CloseCode::normal); });
}

TEST_CASE("a peer that does not answer a close is waited for no longer than the patience") {
    Loop loop([](WebSocket& socket) -> Awaitable<void> {
        socket.set_deadline(net::Stream::kNever);
        co_await socket.close(CloseCode::normal);
        CHECK(socket.peer_close_code() == CloseCode::abnormal);
    });
    loop.options.close_patience = 30ms;
    loop.run_raw([](Connection& connection) -> Awaitable<void> {
        const std::string got = co_await read_raw(connection, 100);
        CHECK(got == "\x88\x02\x03\xe8"s);
        // The server ended it, long before our own deadline.
        CHECK_FALSE(connection.stream->timed_out());
        connection.stream->close();
    });
}

TEST_CASE("who breaks a rule is told with a Close, and the reader learns what it was") {
    struct Row {
        const char* name;
        std::string sent;
        std::string_view close;  ///< opcode aside: the code
        core::Code code;
    };
    const Row rows[] = {
        {"no mask", "\x81\x01x", "\x03\xea", core::Code::malformed_http},
        {"no UTF-8", "\x81\x81\0\0\0\0\xff"s, "\x03\xef", core::Code::malformed_http},
        {"too long", "\x82\xff\0\0\0\0\0\x50\0\0"s + std::string(4, '\0'), "\x03\xf1", core::Code::payload_too_large},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        std::optional<core::Error> seen;
        Loop loop([&](WebSocket& socket) -> Awaitable<void> {
            const core::Result<WebSocketMessage> message = co_await socket.read();
            if (!message) seen = message.error();
            const core::Result<WebSocketMessage> again = co_await socket.read();
            CHECK(again);
            CHECK(again->kind == WebSocketMessage::Kind::closed);
        });
        loop.run_raw([&](Connection& connection) -> Awaitable<void> {
            co_await write_raw(connection, row.sent);
            const std::string got = co_await read_raw(connection, 1000);
            CHECK(got.substr(0, 1) == "\x88");
            CHECK(got.substr(2, 2) == row.close);
            connection.stream->close();
        });
        REQUIRE(seen);
        CHECK(seen->code == row.code);
        CHECK(seen->source == core::Source::downstream);
    }
}

TEST_CASE("a peer that leaves without a Close, or says nothing in time, is an error") {
    std::string server_saw;
    const Loop::Session watch = [&](WebSocket& socket) -> Awaitable<void> {
        server_saw = co_await next(socket);
        CHECK(socket.peer_close_code() == CloseCode::abnormal);
    };
    Loop loop(watch);
    loop.run_raw([](Connection& connection) -> Awaitable<void> {
        co_await write_raw(connection, "\x81\x85\0\0"s);
        connection.stream->close();
    });
    CHECK(server_saw == "error: WebSocket: the peer left without a Close");

    Loop silent([&](WebSocket& socket) -> Awaitable<void> {
        socket.set_deadline(std::chrono::steady_clock::now() + 20ms);
        co_await watch(socket);
    });
    silent.run_raw([](Connection& connection) -> Awaitable<void> { co_await read_raw(connection, 1); });
    CHECK(server_saw == "error: WebSocket: nothing came in time");
}

TEST_CASE("several may write at once: frames stay whole, and each writer's stay in order") {
    constexpr int kMessages = 20;
    const auto writer = [](WebSocket& socket, char name, int& done) -> Awaitable<void> {
        for (int i = 0; i < kMessages; ++i) {
            // Large enough that the kernel does not take them at once.
            const std::string text = name + std::to_string(i) + ":" + text_of(200'000, name);
            const core::Result<void> sent = co_await socket.write(text);
            CHECK(sent);
            const core::Result<void> pinged = co_await socket.ping("p");
            CHECK(pinged);
        }
        ++done;
    };
    for (const bool packed : {false, true}) {
        Loop* at = nullptr;
        Loop loop(
            [&](WebSocket& socket) -> Awaitable<void> {
                int done = 0;
                for (const char name : {'a', 'b', 'c'}) at->worker.spawn(writer(socket, name, done));
                const std::string got = co_await next(socket);
                CHECK(got == "t:all there");
                CHECK(done == 3);
                co_await socket.close(CloseCode::normal);
            },
            packed ? std::optional(Deflate{}) : std::nullopt);
        at = &loop;
        loop.run([&](WebSocket& socket) -> Awaitable<void> {
            int seen[3] = {};
            for (int i = 0; i < 3 * kMessages; ++i) {
                const std::string got = co_await next(socket);
                const char name = got[2];
                int& count = seen[name - 'a'];
                CHECK(got == std::string("t:") + name + std::to_string(count) + ":" + text_of(200'000, name));
                ++count;
            }
            const core::Result<void> sent = co_await socket.write("all there");
            CHECK(sent);
            const std::string got = co_await next(socket);
            CHECK(got == "closed 1000 ");
        });
    }
}

TEST_CASE("a bridge is two coroutines, and the end of one side ends the other") {
    struct Bridge {
        WebSocket* upstream = nullptr;
        net::Worker* worker = nullptr;
        std::string end;  ///< the codes that both sides of the bridge saw

        static Awaitable<void> relay(WebSocket& from, WebSocket& to, int& running) {
            for (;;) {
                const core::Result<WebSocketMessage> message = co_await from.read();
                if (!message || message->kind == WebSocketMessage::Kind::closed) break;
                const core::Result<void> sent = co_await to.write(message->payload);
                if (!sent) break;
            }
            co_await to.close(from.peer_close_code().value_or(CloseCode::internal), from.peer_close_reason());
            --running;
        }
        Awaitable<bool> handle(Connection& connection, RequestHead& head) {
            const core::Result<std::optional<Deflate>> agreed =
                co_await accept_websocket(connection, head, std::nullopt);
            CHECK(agreed);
            WebSocket downstream(connection, {});
            int running = 2;
            worker->spawn(relay(*upstream, downstream, running));
            co_await relay(downstream, *upstream, running);
            while (running != 0) co_await boost::asio::post(worker->executor(), net::use_awaitable);
            end = std::to_string(static_cast<int>(*downstream.peer_close_code())) + " " +
                  std::to_string(static_cast<int>(*upstream->peer_close_code()));
            co_return false;
        }
        Awaitable<void> refuse(Connection&, const core::Error&) { co_return; }
    };
    std::string upstream_end;
    Loop upstream([&](WebSocket& socket) -> Awaitable<void> {
        co_await echo(socket);
        upstream_end = std::to_string(static_cast<int>(*socket.peer_close_code()));
    });
    Bridge bridge;
    bridge.worker = &upstream.worker;
    auto front = std::move(*net::Listener::open(upstream.worker, net::ListenAddress{"127.0.0.1", 0}, false));
    front->start([&](net::Socket socket) {
        upstream.worker.spawn(serve_connection(upstream.worker, std::move(socket), bridge, ServerTimeouts{}));
    });
    upstream.run([&](WebSocket& up) -> Awaitable<void> {
        bridge.upstream = &up;
        const std::string host = "127.0.0.1";
        const core::TimePoint deadline = std::chrono::steady_clock::now() + 10s;
        auto stream = co_await net::connect(upstream.worker, host, front->port(), deadline);
        REQUIRE(stream);
        Connection connection(upstream.worker, std::move(*stream));
        connection.stream->set_deadline(deadline);
        const WebSocketRequest request{.authority = "test", .target = "/"};
        const core::Result<std::optional<Deflate>> agreed = co_await open_websocket(connection, request);
        REQUIRE(agreed);
        WebSocket client(connection, {.role = WebSocketRole::client});
        for (const std::size_t size : {5UL, 300'000UL}) {
            const std::string text = text_of(size, 'q');
            const core::Result<void> sent = co_await client.write(text);
            CHECK(sent);
            const std::string got = co_await next(client);
            CHECK(got == "t:" + text);
        }
        co_await client.close(CloseCode::going_away, "bye");
        CHECK(client.peer_close_code() == CloseCode::going_away);
        connection.stream->close();
        while (bridge.end.empty()) co_await boost::asio::post(upstream.worker.executor(), net::use_awaitable);
        front->close();
    });
    CHECK(bridge.end == "1001 1001");
    CHECK(upstream_end == "1001");
}

TEST_CASE("an upstream that does not open a WebSocket leaves its answer to be read") {
    struct Refusing {
        std::string answer;
        Awaitable<bool> handle(Connection& connection, RequestHead&) {
            const net::Pieces pieces{answer};
            co_await connection.stream->write(pieces);
            co_return false;
        }
        Awaitable<void> refuse(Connection&, const core::Error&) { co_return; }
    };
    struct Row {
        std::string answer;
        core::Code code;
        int status;
        std::string_view detail;
    };
    const Row rows[] = {
        {"HTTP/1.1 429 Too Many\r\nretry-after: 7\r\ncontent-length: 4\r\n\r\nbody", core::Code::upstream_error, 429,
         "429"},
        {"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: "
         "x\r\n\r\n",
         core::Code::upstream_malformed, 101, "Sec-WebSocket-Accept"},
        {"HTTP/1.1 101", core::Code::upstream_truncated, 0, "closed"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.answer);
        Loop loop(echo);
        Refusing service{row.answer};
        auto front = std::move(*net::Listener::open(loop.worker, net::ListenAddress{"127.0.0.1", 0}, false));
        front->start([&](net::Socket socket) {
            loop.worker.spawn(serve_connection(loop.worker, std::move(socket), service, ServerTimeouts{}));
        });
        struct Client {
            static Awaitable<void> run(Loop& loop, net::Listener& front, const Row& row) {
                const std::string host = "127.0.0.1";
                const core::TimePoint deadline = std::chrono::steady_clock::now() + 10s;
                auto stream = co_await net::connect(loop.worker, host, front.port(), deadline);
                REQUIRE(stream);
                Connection connection(loop.worker, std::move(*stream));
                const WebSocketRequest request{.authority = "test", .target = "/"};
                const core::Result<std::optional<Deflate>> agreed = co_await open_websocket(connection, request);
                REQUIRE_FALSE(agreed);
                CHECK(agreed.error().code == row.code);
                CHECK(agreed.error().detail.find(row.detail) != std::string::npos);
                if (row.status == 429) {
                    CHECK(connection.response_head().fields.value("retry-after") == "7");
                    BodyReader body(connection, connection.response_head(), core::Source::upstream);
                    const core::Result<std::string_view> piece = co_await body.next();
                    REQUIRE(piece);
                    CHECK(*piece == "body");
                }
                connection.stream->close();
                front.close();
                loop.listener->close();
                loop.worker.stop();
            }
        };
        loop.worker.spawn(Client::run(loop, *front, row));
        loop.worker.run();
        CHECK(loop.worker.escaped_exceptions() == 0);
    }
}
