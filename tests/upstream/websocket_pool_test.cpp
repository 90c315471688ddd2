#include "upstream/websocket_pool.hpp"

#include <doctest/doctest.h>

#include "http/pool.hpp"
#include "mock/server.hpp"
#include "net/suspend.hpp"

using namespace oai;
using namespace oai::upstream;
using namespace std::chrono_literals;
using net::Awaitable;

namespace {

/// A pool, and an upstream to open sockets to.
struct Bench {
    explicit Bench(WebSocketPool::Limits limits)
        : server(std::move(*mock::Server::start({}))), pool(worker, limits), connections(worker) {
        account.name = "a";
        account.target = http::Target(*http::parse_url(server->url()));
    }

    Awaitable<std::unique_ptr<UpstreamSocket>> open(std::string greeting, std::uint64_t conversation) {
        const core::TimePoint deadline = std::chrono::steady_clock::now() + 10s;
        auto opened = co_await connections.open(account.target, deadline);
        REQUIRE(opened);
        const http::WebSocketRequest request{.authority = account.target.authority, .target = "/v1/responses"};
        const auto agreed = co_await http::open_websocket(**opened, request);
        REQUIRE(agreed);
        std::unique_ptr<http::Connection> connection = std::move(*opened);
        auto socket = std::make_unique<UpstreamSocket>(account, std::move(greeting), std::move(connection), *agreed);
        socket->conversation = conversation;
        co_return socket;
    }
    Awaitable<void> fill(std::string greeting, std::uint64_t conversation) {
        std::unique_ptr<UpstreamSocket> socket = co_await open(std::move(greeting), conversation);
        pool.give(std::move(socket));
    }
    /// False when it does not come within ten seconds.
    template <class Condition>
    Awaitable<bool> soon(Condition condition) {
        const core::TimePoint until = std::chrono::steady_clock::now() + 10s;
        while (std::chrono::steady_clock::now() < until) {
            if (condition()) co_return true;
            co_await net::pause(worker, 2ms);
        }
        co_return false;
    }
    void run(Awaitable<void> (*test)(Bench&)) {
        worker.spawn(finish(test));
        worker.run();
        CHECK(worker.escaped_exceptions() == 0);
    }

    std::unique_ptr<mock::Server> server;
    net::Worker worker{"test"};
    WebSocketPool pool;
    http::Pool connections;
    Account account;

private:
    Awaitable<void> finish(Awaitable<void> (*test)(Bench&)) {
        co_await test(*this);
        pool.close();
        worker.stop();
    }
};

Awaitable<void> take_what_fits(Bench& b) {
    co_await b.fill("one", 0);
    co_await b.fill("two", 0);
    co_await b.fill("one", 7);
    Account other = b.account;
    other.name = "b";
    CHECK(b.pool.resting() == 3);
    CHECK(b.pool.take(b.account, "three") == nullptr);
    CHECK(b.pool.take(other, "one") == nullptr);
    CHECK(b.pool.take_pinned(b.account, 8) == nullptr);
    CHECK(b.pool.take_pinned(other, 7) == nullptr);
    Account elsewhere = b.account;
    elsewhere.target.origin.back() ^= 1;
    CHECK(b.pool.take(elsewhere, "one") == nullptr);
    const std::unique_ptr<UpstreamSocket> one = b.pool.take(b.account, "one");
    REQUIRE(one != nullptr);
    CHECK(one->conversation == 0);
    CHECK(one->reused);
    CHECK(b.pool.take(b.account, "one") == nullptr);  // the other one is of conversation 7
    CHECK(b.pool.take_pinned(b.account, 7) != nullptr);
    CHECK(b.pool.resting() == 1);
}

Awaitable<void> keep_few(Bench& b) {
    for (int i = 0; i < 4; ++i) co_await b.fill("one", 0);
    CHECK(b.pool.resting() == 2);
    co_await b.fill("one", 7);  // what belongs to a conversation is not counted
    CHECK(b.pool.resting() == 3);
    co_await b.pool.end(7);
    CHECK(b.pool.resting() == 2);
    b.pool.close();
    co_await b.fill("one", 0);
    CHECK(b.pool.resting() == 0);
}

Awaitable<void> ask_the_living_and_the_dead(Bench& b) {
    co_await b.fill("one", 0);
    const core::TimePoint given = std::chrono::steady_clock::now();
    const bool asked = co_await b.soon([&] { return std::chrono::steady_clock::now() > given + 100ms; });
    CHECK(asked);
    std::unique_ptr<UpstreamSocket> living;
    const bool there = co_await b.soon([&] { return (living = b.pool.take(b.account, "one")) != nullptr; });
    REQUIRE(there);
    CHECK(living->rested_since > given);
    CHECK(living->socket.pong_at() > given);
    b.pool.give(std::move(living));
    b.server->stop();
    const bool dropped = co_await b.soon([&] { return b.pool.resting() == 0; });
    CHECK(dropped);
}

Awaitable<void> let_the_old_go(Bench& b) {
    co_await b.fill("one", 0);
    const bool closed = co_await b.soon([&] { return b.server->counters().open == 0; });
    CHECK(closed);
    CHECK(b.pool.resting() == 0);
}

}  // namespace

TEST_CASE("a socket is taken by the account, and by what its handshake said or whose it is") {
    Bench({}).run(take_what_fits);
}

TEST_CASE("few are kept for each account, and none once the pool is closed") {
    Bench({.idle_per_account = 2}).run(keep_few);
}

TEST_CASE("what rests is asked whether it lives: the living stays, the dead goes") {
    Bench({.ping_every = 10ms, .pong_time = 1s}).run(ask_the_living_and_the_dead);
}

TEST_CASE("what is too old is closed in the background") {
    Bench({.max_age = 0s, .ping_every = 10ms}).run(let_the_old_go);
}

TEST_CASE("an account that refuses upgrades is asked again after a while") {
    net::Worker worker("test");
    WebSocketPool pool(worker, {.bridge_time = 30s});
    Account account;
    account.name = "a";
    const core::TimePoint start{};
    CHECK_FALSE(pool.is_bridged(account, start));
    CHECK(pool.bridge(account, start));
    CHECK(pool.is_bridged(account, start + 29s));
    CHECK_FALSE(pool.is_bridged(account, start + 30s));
    CHECK_FALSE(pool.bridge(account, start + 31s));  // told once
    CHECK(pool.is_bridged(account, start + 60s));
}
