#include "net/stream.hpp"

#include <string>
#include <vector>

#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include "net/connect.hpp"
#include "net/listener.hpp"
#include "net/suspend.hpp"

using namespace oai;
using namespace oai::net;
using namespace std::chrono_literals;

namespace {

const std::string kHost = "127.0.0.1";

/// One worker run on this thread until the session under test has ended.
struct Loop {
    Worker worker{"test"};

    template <class Session>
    void run(Session session) {
        worker.spawn(guard(std::move(session)));
        worker.run();
        CHECK(worker.escaped_exceptions() == 0);
    }

private:
    template <class Session>
    Awaitable<void> guard(Session session) {
        co_await session(worker);
        worker.stop();
    }
};

std::unique_ptr<Listener> listen(Worker& worker) {
    return std::move(*Listener::open(worker, ListenAddress{"127.0.0.1", 0}, false));
}

}  // namespace

TEST_CASE("bytes go both ways, also more than the kernel takes at once") {
    Loop loop;
    const std::string sent(3'000'000, 'z');
    std::string received;
    auto listener = listen(loop.worker);
    struct Echo {
        static Awaitable<void> take(Worker& worker, Socket socket, std::string& into, std::size_t want) {
            Stream stream(worker, std::move(socket));
            std::vector<char> chunk(65536);
            while (into.size() < want) {
                const std::size_t n = co_await stream.read_some(chunk);
                if (n == 0) break;
                into.append(chunk.data(), n);
            }
            const Pieces answer{"got ", "it"};
            co_await stream.write(answer);
        }
    };
    listener->start([&](Socket s) { loop.worker.spawn(Echo::take(loop.worker, std::move(s), received, sent.size())); });
    std::string answer;
    loop.run([&](Worker& worker) -> Awaitable<void> {
        const core::TimePoint deadline = std::chrono::steady_clock::now() + 10s;
        auto stream = co_await connect(worker, kHost, listener->port(), deadline);
        CHECK(stream);
        const Pieces pieces{sent};
        const bool written = co_await (*stream)->write(pieces);
        CHECK(written);
        std::vector<char> chunk(100);
        for (;;) {
            const std::size_t n = co_await (*stream)->read_some(chunk);
            if (n == 0) break;
            answer.append(chunk.data(), n);
        }
        listener->close();
    });
    CHECK(received == sent);
    CHECK(answer == "got it");
}

TEST_CASE("a deadline ends a read and says that it was the deadline") {
    Loop loop;
    auto listener = listen(loop.worker);
    std::vector<std::unique_ptr<Stream>> accepted;
    listener->start([&](Socket s) { accepted.push_back(std::make_unique<Stream>(loop.worker, std::move(s))); });
    loop.run([&](Worker& worker) -> Awaitable<void> {
        auto stream = co_await connect(worker, kHost, listener->port(), Stream::kNever);
        (*stream)->set_deadline(std::chrono::steady_clock::now() + 20ms);
        std::vector<char> chunk(100);
        const std::size_t n = co_await (*stream)->read_some(chunk);
        CHECK(n == 0);
        CHECK((*stream)->timed_out());
        listener->close();
    });
    accepted.clear();
}

TEST_CASE("nobody listening is a failure that may be retried, and names the place") {
    Loop loop;
    std::uint16_t port = 0;
    {
        auto listener = listen(loop.worker);
        port = listener->port();
    }
    loop.run([&](Worker& worker) -> Awaitable<void> {
        auto stream = co_await connect(worker, kHost, port, std::chrono::steady_clock::now() + 5s);
        CHECK_FALSE(stream);
        CHECK(stream.error().retryable);
        CHECK(stream.error().code == core::Code::connect_failed);
        CHECK(stream.error().detail.find(std::to_string(port)) != std::string::npos);
    });
}

TEST_CASE("a kept connection that was closed is stale, a quiet one is not") {
    Loop loop;
    auto listener = listen(loop.worker);
    std::vector<std::unique_ptr<Stream>> accepted;
    listener->start([&](Socket s) { accepted.push_back(std::make_unique<Stream>(loop.worker, std::move(s))); });
    loop.run([&](Worker& worker) -> Awaitable<void> {
        auto stream = co_await connect(worker, kHost, listener->port(), Stream::kNever);
        auto second = co_await connect(worker, kHost, listener->port(), Stream::kNever);
        CHECK(second);
        CHECK_FALSE((*stream)->is_stale());
        while (accepted.empty()) co_await boost::asio::post(worker.executor(), use_awaitable);
        accepted.front()->close();
        CHECK((*stream)->is_stale());
        listener->close();
    });
    accepted.clear();
}

TEST_CASE("a read after the end, or after a failure, ends at once, however often") {
    struct Peer {
        static Awaitable<void> leave(Worker& worker, Socket socket, bool rudely) {
            Stream stream(worker, std::move(socket));
            std::vector<char> question(16);
            co_await stream.read_some(question);
            if (rudely) {
                stream.reset();
            } else {
                stream.close();
            }
        }
    };
    struct Reader {
        static Awaitable<void> run(Worker& worker, Listener& listener, std::vector<std::size_t>& reads, bool& late) {
            const core::TimePoint deadline = std::chrono::steady_clock::now() + 5s;
            core::Result<std::unique_ptr<Stream>> stream = co_await connect(worker, kHost, listener.port(), deadline);
            REQUIRE(stream);
            (*stream)->set_deadline(deadline);
            const Pieces question{"?"};
            co_await (*stream)->write(question);
            std::vector<char> into(64);
            for (int i = 0; i < 3; ++i) {
                const std::size_t n = co_await (*stream)->read_some(into);
                reads.push_back(n);
            }
            late = (*stream)->timed_out();
            listener.close();
        }
    };
    for (const bool rudely : {false, true}) {
        CAPTURE(rudely);
        Loop loop;
        auto listener = listen(loop.worker);
        std::vector<std::size_t> reads;
        bool late = true;
        listener->start([&](Socket socket) { loop.worker.spawn(Peer::leave(loop.worker, std::move(socket), rudely)); });
        loop.run([&](Worker& worker) { return Reader::run(worker, *listener, reads, late); });
        CHECK(reads == std::vector<std::size_t>{0, 0, 0});
        CHECK_FALSE(late);
    }
}

TEST_CASE(
    "what follows a read that brought less than there was room for is read too, and so is an end that came with it") {
    struct Row {
        const char* name;
        bool expect_end;
        std::chrono::milliseconds before_last;  ///< how long nobody reads before the end is read
        std::vector<std::string> writes;        ///< each when the one before was read; the last one with the end
    };
    const Row rows[] = {
        {"the end alone", false, 0ms, {"a", ""}},
        {"the end with the last bytes", false, 0ms, {"a", "b"}},
        {"the end with the only bytes", false, 0ms, {"ab"}},
        {"the end with the last bytes, and then nobody reads for a while", false, 250ms, {"a", "b"}},
        {"the end with the last bytes, expected", true, 0ms, {"a", "b"}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        Loop loop;
        auto listener = listen(loop.worker);
        std::vector<std::unique_ptr<Stream>> accepted;
        listener->start([&](Socket s) { accepted.push_back(std::make_unique<Stream>(loop.worker, std::move(s))); });
        std::string got, wanted;
        for (const std::string& write : row.writes) wanted += write;
        bool ended = false, late = false;
        loop.run([&](Worker& worker) -> Awaitable<void> {
            const core::TimePoint deadline = std::chrono::steady_clock::now() + 10s;
            auto stream = co_await connect(worker, kHost, listener->port(), deadline);
            CHECK(stream);
            (*stream)->set_deadline(deadline);
            if (row.expect_end) (*stream)->expect_end();
            while (accepted.empty()) co_await boost::asio::post(worker.executor(), use_awaitable);
            std::vector<char> into(64);
            for (std::size_t i = 0; i < row.writes.size(); ++i) {
                // Before the read begins: bytes and end lie there together.
                Pieces pieces{row.writes[i]};
                CHECK(accepted.front()->try_write(pieces) == Stream::Written::done);
                if (i + 1 == row.writes.size()) accepted.front()->shutdown_send();
                const std::size_t n = co_await (*stream)->read_some(into);
                got.append(into.data(), n);
            }
            if (!row.writes.back().empty()) {
                co_await pause(worker, row.before_last);
                const std::size_t n = co_await (*stream)->read_some(into);
                CHECK(n == 0);
            }
            ended = (*stream)->error() == boost::asio::error::eof;
            late = (*stream)->timed_out();
            listener->close();
        });
        accepted.clear();
        CHECK(got == wanted);
        CHECK(ended);
        CHECK_FALSE(late);
    }
}
