// What a deadline does to a stream, plain and with TLS.
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include "net/connect.hpp"
#include "net/listener.hpp"
#include "support/authority.hpp"

using namespace oai;
using namespace oai::net;
using namespace std::chrono_literals;

namespace {

const std::string kHost = "127.0.0.1";

core::TimePoint in(std::chrono::milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}

/// A pair of connected streams of one worker, with TLS or without.
struct Pair {
    explicit Pair(bool tls) {
        if (!tls) return;
        authority.emplace();
        const test::Identity identity = authority->issue();
        server_context = *TlsServerContext::make(identity.certificate, identity.key);
        client_context = *TlsClientContext::make({.ca_file = authority->file()});
    }

    template <class Session>
    void run(Session session) {
        const auto listener = *Listener::open(worker, ListenAddress{kHost, 0}, false);
        listener->start([&](Socket s) { worker.spawn(accept(std::move(s))); });
        worker.spawn(whole(session, *listener));
        worker.run();
        CHECK(worker.escaped_exceptions() == 0);
    }

    Worker worker{"test"};
    std::unique_ptr<Stream> server, client;

private:
    Awaitable<void> accept(Socket socket) {
        auto stream = std::make_unique<Stream>(worker, std::move(socket));
        if (server_context) {
            const bool secured = co_await stream->handshake_server(server_context);
            CHECK(secured);
        }
        server = std::move(stream);
    }

    template <class Session>
    Awaitable<void> whole(Session& session, Listener& listener) {
        auto stream = co_await connect(worker, kHost, listener.port(), Stream::kNever);
        client = std::move(*stream);
        if (client_context) {
            const bool secured = co_await client->handshake_client(client_context, kHost);
            CHECK(secured);
        }
        while (!server) co_await boost::asio::post(worker.executor(), use_awaitable);
        co_await session();
        server.reset();
        client.reset();
        listener.close();
        worker.stop();
    }

    std::optional<test::Authority> authority;
    std::shared_ptr<const TlsServerContext> server_context;
    std::shared_ptr<const TlsClientContext> client_context;
};

}  // namespace

TEST_CASE("a deadline ends a read, and everything after it fails at once until there is a new one") {
    for (const bool tls : {false, true}) {
        CAPTURE(tls);
        Pair pair(tls);
        pair.run([&]() -> Awaitable<void> {
            Stream& stream = *pair.server;
            std::vector<char> chunk(100);
            stream.set_deadline(in(20ms));
            const std::size_t late = co_await stream.read_some(chunk);
            CHECK(late == 0);
            CHECK(stream.timed_out());
            CHECK(stream.is_open());

            // There is something to read and room to write, and still.
            const Pieces question{"question"}, answer{"answer"};
            const bool asked = co_await pair.client->write(question);
            CHECK(asked);
            const std::size_t refused = co_await stream.read_some(chunk);
            CHECK(refused == 0);
            CHECK(stream.error() == boost::asio::error::timed_out);
            const bool written = co_await stream.write(answer);
            CHECK_FALSE(written);

            stream.set_deadline(Stream::kNever);
            const bool now_written = co_await stream.write(answer);
            CHECK(now_written);
            const std::size_t n = co_await stream.read_some(chunk);
            CHECK(std::string(chunk.data(), n) == "question");
            CHECK(stream.timed_out());  // for good: this one is never used for another exchange
            const std::size_t answered = co_await pair.client->read_some(chunk);
            CHECK(std::string(chunk.data(), answered) == "answer");
            CHECK_FALSE(pair.client->timed_out());
        });
    }
}

TEST_CASE("a deadline ends a write to somebody who does not read") {
    for (const bool tls : {false, true}) {
        CAPTURE(tls);
        Pair pair(tls);
        pair.run([&]() -> Awaitable<void> {
            const std::string much(20'000'000, 'x');
            pair.server->set_deadline(in(50ms));
            const Pieces pieces{much};
            const bool written = co_await pair.server->write(pieces);
            CHECK_FALSE(written);
            CHECK(pair.server->timed_out());
        });
    }
}

TEST_CASE("a handshake that the other side does not answer ends at its deadline") {
    Worker worker("test");
    const auto listener = *Listener::open(worker, ListenAddress{kHost, 0}, false);
    std::vector<std::unique_ptr<Stream>> silent;
    listener->start([&](Socket s) { silent.push_back(std::make_unique<Stream>(worker, std::move(s))); });
    struct Session {
        static Awaitable<void> run(Worker& worker, Listener& listener, bool& secured, bool& timed_out) {
            auto stream = co_await connect(worker, kHost, listener.port(), Stream::kNever);
            (*stream)->set_deadline(in(20ms));
            secured = co_await (*stream)->handshake_client(TlsClientContext::system(), kHost);
            timed_out = (*stream)->timed_out();
            listener.close();
            worker.stop();
        }
    };
    bool secured = true, timed_out = false;
    worker.spawn(Session::run(worker, *listener, secured, timed_out));
    worker.run();
    silent.clear();
    CHECK_FALSE(secured);
    CHECK(timed_out);
}

TEST_CASE("the coarse time is right when the first stream comes after a rest, and moves on with the sweep") {
    Worker worker("test");
    const auto listener = *Listener::open(worker, ListenAddress{kHost, 0}, false);
    std::vector<std::unique_ptr<Stream>> accepted;
    listener->start([&](Socket s) { accepted.push_back(std::make_unique<Stream>(worker, std::move(s))); });
    struct Session {
        static Awaitable<void> run(Worker& worker, Listener& listener) {
            CHECK(worker.coarse_now() == core::TimePoint{});  // nothing has happened here yet
            const core::TimePoint before = std::chrono::steady_clock::now();
            auto stream = co_await connect(worker, kHost, listener.port(), Stream::kNever);
            CHECK(worker.coarse_now() >= before);
            std::vector<char> chunk(10);
            const core::TimePoint first = worker.coarse_now();
            (*stream)->set_deadline(in(120ms));
            const std::size_t n = co_await (*stream)->read_some(chunk);
            CHECK(n == 0);
            CHECK(worker.coarse_now() >= first + 120ms);
            CHECK(worker.coarse_now() <= std::chrono::steady_clock::now());
            listener.close();
            worker.stop();
        }
    };
    worker.spawn(Session::run(worker, *listener));
    worker.run();
    CHECK(worker.escaped_exceptions() == 0);
}
