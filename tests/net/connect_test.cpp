#include "net/connect.hpp"

#include <array>
#include <atomic>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <vector>

#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include "net/happy_eyeballs.hpp"
#include "net/loop.hpp"

using namespace oai;
using namespace oai::net;
using namespace std::chrono_literals;
using oai::test::contains;
using oai::test::in;
using oai::test::Loop;

namespace {

using Connected = core::Result<std::unique_ptr<Stream>>;

IpAddress address(const char* text) {
    return boost::asio::ip::make_address(text);
}

TcpEndpoint loopback(std::uint16_t port) {
    return {address("127.0.0.1"), port};
}

/// Bound and not listening: whoever connects is refused, and nobody else gets the port.
struct ClosedPort {
    boost::asio::io_context context;
    Socket socket{context.get_executor(), loopback(0)};
    TcpEndpoint endpoint() const { return socket.local_endpoint(); }
};

/// A listener whose queue is full: the kernel drops what comes, as a firewall would.
struct Unresponsive {
    Unresponsive() {
        acceptor.listen(0);
        for (Socket& filler : fillers) {
            filler.open(boost::asio::ip::tcp::v4());
            filler.non_blocking(true);
            const TcpEndpoint to = endpoint();
            ::connect(filler.native_handle(), to.data(), static_cast<socklen_t>(to.size()));  // Asio's would wait
        }
    }
    TcpEndpoint endpoint() const { return acceptor.local_endpoint(); }

    boost::asio::io_context context;
    Acceptor acceptor{context.get_executor(), loopback(0), false};
    std::array<Socket, 3> fillers{Socket(context.get_executor()), Socket(context.get_executor()),
                                  Socket(context.get_executor())};
};

/// A listener that keeps what it accepts.
struct Open {
    explicit Open(Loop& loop) : listener(loop.listen()) {
        listener->start(
            [this, &loop](Socket s) { accepted.push_back(std::make_unique<Stream>(loop.worker, std::move(s))); });
    }
    TcpEndpoint endpoint() const { return loopback(listener->port()); }

    std::unique_ptr<Listener> listener;
    std::vector<std::unique_ptr<Stream>> accepted;
};

/// What the attempts that lost have left is gone after a few turns.
Awaitable<bool> alone(Worker& worker, std::size_t others) {
    for (int turn = 0; turn < 100 && worker.sessions() > 1 + others; ++turn)
        co_await boost::asio::post(worker.executor(), use_awaitable);
    co_return worker.sessions() == 1 + others;
}

}  // namespace

TEST_CASE("addresses are tried by turns of their families, each family in the order given") {
    struct Row {
        const char* name;
        std::vector<const char*> given;
        std::vector<const char*> want;
    };
    const Row rows[] = {
        {"none", {}, {}},
        {"one", {"::1"}, {"::1"}},
        {"one family", {"192.0.2.2", "192.0.2.1"}, {"192.0.2.2", "192.0.2.1"}},
        {"the first's family begins",
         {"2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1"},
         {"2001:db8::1", "192.0.2.1", "2001:db8::2", "2001:db8::3"}},
        {"also when it has fewer",
         {"192.0.2.1", "2001:db8::1", "2001:db8::2", "2001:db8::3"},
         {"192.0.2.1", "2001:db8::1", "2001:db8::2", "2001:db8::3"}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        std::vector<IpAddress> given, want;
        for (const char* text : row.given) given.push_back(address(text));
        for (const char* text : row.want) want.push_back(address(text));
        CHECK(by_turns(given) == want);
    }
}

TEST_CASE("a refused attempt is followed by the next one at once, and one that hangs after the delay") {
    for (const bool hangs : {false, true}) {
        CAPTURE(hangs);
        Loop loop;
        const ClosedPort closed;
        const Unresponsive silent;
        Open open(loop);
        const std::chrono::milliseconds delay = hangs ? 10ms : 1h;
        loop.run([&](Worker& worker) -> Awaitable<void> {
            const core::TimePoint begin = std::chrono::steady_clock::now();
            const std::vector<TcpEndpoint> endpoints{hangs ? silent.endpoint() : closed.endpoint(), open.endpoint()};
            Connected stream = co_await connect_first(worker, endpoints, in(30s), delay);
            REQUIRE(stream);
            const auto took = std::chrono::steady_clock::now() - begin;
            CHECK(took < 10s);
            if (hangs) CHECK(took >= delay);
            while (open.accepted.empty()) co_await boost::asio::post(worker.executor(), use_awaitable);
            const Pieces pieces{"hello"};
            const bool written = co_await open.accepted.front()->write(pieces);
            CHECK(written);
            std::array<char, 16> got{};
            const std::size_t n = co_await (*stream)->read_some(got);
            CHECK(std::string(got.data(), n) == "hello");
            const bool ended = co_await alone(worker, 1);  // the other is the accept loop
            CHECK(ended);
            open.listener->close();
        });
    }
}

TEST_CASE("the first success wins, and the others are closed") {
    Loop loop;
    Open first(loop), second(loop);
    loop.run([&](Worker& worker) -> Awaitable<void> {
        const std::vector<TcpEndpoint> endpoints{first.endpoint(), second.endpoint()};
        Connected stream = co_await connect_first(worker, endpoints, in(30s), 0ms);
        REQUIRE(stream);
        const bool ended = co_await alone(worker, 2);
        CHECK(ended);
        (*stream)->close();
        for (Open* open : {&first, &second}) {
            for (const auto& accepted : open->accepted) {
                accepted->set_deadline(in(5s));
                std::array<char, 16> got{};
                const std::size_t n = co_await accepted->read_some(got);
                CHECK(n == 0);
                CHECK_FALSE(accepted->timed_out());
            }
            open->listener->close();
        }
    });
    CHECK(first.accepted.size() + second.accepted.size() >= 1);
}

TEST_CASE("when every attempt fails the last reason is told, and one deadline holds for all") {
    Loop loop;
    const ClosedPort closed, also_closed;
    const Unresponsive silent, also_silent;
    struct Row {
        const char* name;
        std::vector<TcpEndpoint> endpoints;
        std::chrono::milliseconds patience;
        std::chrono::milliseconds delay;
        const char* want;
    };
    const Row rows[] = {
        {"one refused", {closed.endpoint()}, 30s, 1h, "Connection refused"},
        {"both refused", {closed.endpoint(), also_closed.endpoint()}, 30s, 1h, "Connection refused"},
        {"one silent", {silent.endpoint()}, 40ms, 1h, "no answer in time"},
        {"both silent", {silent.endpoint(), also_silent.endpoint()}, 40ms, 5ms, "no answer in time"},
        {"the delay is longer than the deadline", {silent.endpoint(), closed.endpoint()}, 40ms, 1h, "in time"},
        {"too late already", {closed.endpoint(), also_closed.endpoint()}, -1ms, 1h, "no answer in time"},
    };
    loop.run([&](Worker& worker) -> Awaitable<void> {
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const core::TimePoint begin = std::chrono::steady_clock::now();
            const Connected stream = co_await connect_first(worker, row.endpoints, in(row.patience), row.delay);
            REQUIRE_FALSE(stream);
            CHECK(contains(stream.error().detail, row.want));
            CHECK(stream.error().code == core::Code::connect_failed);
            CHECK(stream.error().retryable);
            CHECK(std::chrono::steady_clock::now() - begin < 10s);
            const bool ended = co_await alone(worker, 0);
            CHECK(ended);
        }
    });
}

TEST_CASE("attempts that fail before anybody waits for them are noticed") {
    Loop loop;
    const ClosedPort closed, also_closed;
    loop.run([&](Worker& worker) -> Awaitable<void> {
        rlimit before{};
        REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
        const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
        const std::vector<TcpEndpoint> endpoints{closed.endpoint(), also_closed.endpoint()};
        const Connected stream = co_await connect_first(worker, endpoints, in(30s), 1h);
        ::setrlimit(RLIMIT_NOFILE, &before);
        REQUIRE_FALSE(stream);
        CHECK(contains(stream.error().detail, "Too many open files"));
    });
}

TEST_CASE("a worker that stops ends a race, however long it would have taken") {
    Loop loop;
    const Unresponsive silent, also_silent;
    std::string why;
    loop.run([&](Worker& worker) -> Awaitable<void> {
        worker.post([&worker] { worker.stop(); });
        const std::vector<TcpEndpoint> endpoints{silent.endpoint(), also_silent.endpoint()};
        const Connected stream = co_await connect_first(worker, endpoints, Stream::kNever, 1h);
        REQUIRE_FALSE(stream);
        why = stream.error().detail;
    });
    CHECK(why == "the program is stopping");
}

TEST_CASE("a host is looked up by name, an address is not, and the error names the place") {
    struct Counted {
        std::atomic<int> calls{0};
    };
    const auto counted = std::make_shared<Counted>();
    const Resolver::Lookup lookup = [counted](const std::string& host) -> core::Result<std::vector<IpAddress>> {
        ++counted->calls;
        if (host != "api.example") return core::Error{.code = core::Code::connect_failed, .detail = "no such name"};
        return std::vector{address("::1"), address("127.0.0.1")};  // nobody listens on the first
    };
    Resolver resolver(Resolver::Limits{}, lookup, core::system_clock());
    Loop loop;
    Open open(loop);
    const std::uint16_t port = open.listener->port();
    struct Row {
        const char* host;
        const char* want;  ///< in the error; empty: connects
        int lookups;
    };
    const Row rows[] = {
        {"127.0.0.1", "", 0},
        {"api.example", "", 1},
        {"api.example", "", 1},
        {"other.example", "cannot connect to other.example:", 2},
        {"other.example", ": no such name", 2},
    };
    loop.run([&](Worker& worker) -> Awaitable<void> {
        for (const Row& row : rows) {
            CAPTURE(row.host);
            const Destination to{.host = row.host, .port = port};
            const Connected stream = co_await connect(worker, to, in(30s), resolver);
            CHECK(bool(stream) == std::string(row.want).empty());
            if (!stream) CHECK(contains(stream.error().detail, row.want));
            CHECK(counted->calls == row.lookups);
        }
        open.listener->close();
    });
}
