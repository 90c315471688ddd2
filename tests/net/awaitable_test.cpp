#include "net/awaitable.hpp"

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <doctest/doctest.h>

namespace asio = boost::asio;
using oai::net::Awaitable;
using oai::net::Resumption;
using oai::net::Suspension;
using oai::net::use_awaitable;

namespace {

/// Waits until it is told to go on: an event without any of Asio's machinery.
struct Gate {
    bool await_ready() const noexcept { return false; }
    template <class P>
    void await_suspend(std::coroutine_handle<P> waiting) {
        kept = std::make_unique<Resumption>(waiting.promise());
    }
    void await_resume() const noexcept {}
    void open() {
        const std::unique_ptr<Resumption> taken = std::move(kept);
        (*taken)();
    }

    std::unique_ptr<Resumption> kept;
};

Awaitable<int> at_once(int value) {
    co_return value;
}

Awaitable<int> after(Gate& gate, int value) {
    co_await gate;
    co_return value;
}

Awaitable<int> deep(Gate& gate, int levels) {
    if (levels == 0) {
        co_await gate;
        co_return 0;
    }
    const int below = co_await deep(gate, levels - 1);
    co_return below + 1;
}

/// Where the stack is: a coroutine that never waits must not leave it deeper than it found it.
std::size_t stack_depth(const char* base) {
    const volatile char here = 0;
    return static_cast<std::size_t>(base - const_cast<const char*>(&here));
}

struct Ended {
    bool done = false;
    std::exception_ptr escaped;
    auto note() {
        return [this](const std::exception_ptr& e) {
            done = true;
            escaped = e;
        };
    }
};

struct Flag {
    explicit Flag(bool& set) : set_(set) {}
    ~Flag() { set_ = true; }
    Flag(const Flag&) = delete;
    bool& set_;
};

}  // namespace

TEST_CASE("a session runs as far as it goes when it is started, and on when what it waits for comes") {
    Gate first, second;
    std::vector<std::string> order;
    Ended ended;
    const auto session = [](Gate& a, Gate& b, std::vector<std::string>& log) -> Awaitable<void> {
        log.emplace_back("begun");
        const int one = co_await after(a, 1);
        log.push_back("got " + std::to_string(one));
        const int two = co_await after(b, 2);
        log.push_back("got " + std::to_string(two));
    };
    oai::net::start(session(first, second, order), ended.note());
    CHECK(order == std::vector<std::string>{"begun"});
    first.open();
    CHECK(order == std::vector<std::string>{"begun", "got 1"});
    CHECK_FALSE(ended.done);
    second.open();
    CHECK(order == std::vector<std::string>{"begun", "got 1", "got 2"});
    CHECK(ended.done);
    CHECK_FALSE(ended.escaped);
}

TEST_CASE("a hundred thousand awaits that need not wait take no stack") {
    std::size_t deepest = 0;
    Ended ended;
    const char base = 0;
    const auto session = [](const char* from, std::size_t& most) -> Awaitable<void> {
        int sum = 0;
        for (int i = 0; i < 100'000; ++i) {
            const int one = co_await at_once(1);
            sum += one;
            most = std::max(most, stack_depth(from));
        }
        CHECK(sum == 100'000);
    };
    oai::net::start(session(&base, deepest), ended.note());
    CHECK(ended.done);
    CHECK(deepest < 64 * 1024);
}

TEST_CASE("the ends of a thousand coroutines in a row are a loop, not a thousand calls") {
    Gate gate;
    int got = 0;
    std::size_t depth = 0;
    Ended ended;
    const char base = 0;
    const auto session = [](Gate& g, int& value, const char* from, std::size_t& at) -> Awaitable<void> {
        value = co_await deep(g, 1000);
        at = stack_depth(from);
    };
    oai::net::start(session(gate, got, &base, depth), ended.note());
    gate.open();
    CHECK(got == 1000);
    CHECK(ended.done);
    CHECK(depth < 64 * 1024);
}

TEST_CASE("an exception reaches whoever awaits, before and after a wait, and the session's end otherwise") {
    for (const bool waits : {false, true}) {
        CAPTURE(waits);
        Gate gate;
        std::string caught;
        Ended ended;
        const auto thrower = [](Gate& g, bool first) -> Awaitable<int> {
            if (first) co_await g;
            throw std::runtime_error("thrown");
        };
        const auto session = [](auto inner, Gate& g, bool first, std::string& what) -> Awaitable<void> {
            try {
                const int never = co_await inner(g, first);
                what = std::to_string(never);
            } catch (const std::runtime_error& e) {
                what = e.what();
            }
            throw std::logic_error("out of the session");
        };
        oai::net::start(session(thrower, gate, waits, caught), ended.note());
        if (waits) gate.open();
        CHECK(caught == "thrown");
        REQUIRE(ended.escaped);
        CHECK_THROWS_WITH(std::rethrow_exception(ended.escaped), "out of the session");
    }
}

TEST_CASE("what is dropped instead of resumed takes its session with it, from the inside out") {
    bool inner_gone = false, outer_gone = false;
    Ended ended;
    {
        Gate gate;
        const auto inner = [](Gate& g, bool& gone) -> Awaitable<void> {
            const Flag flag(gone);
            co_await g;
        };
        const auto outer = [](auto next, Gate& g, bool& gone, bool& next_gone) -> Awaitable<void> {
            const Flag flag(gone);
            co_await next(g, next_gone);
        };
        oai::net::start(outer(inner, gate, outer_gone, inner_gone), ended.note());
        CHECK_FALSE(inner_gone);
    }
    CHECK(inner_gone);
    CHECK(outer_gone);
    CHECK_FALSE(ended.done);
}

TEST_CASE("a session may start another one, which runs within it") {
    Gate gate;
    std::vector<int> order;
    Ended first, second;
    const auto other = [](Gate& g, std::vector<int>& log) -> Awaitable<void> {
        log.push_back(2);
        co_await g;
        log.push_back(4);
    };
    const auto session = [](auto next, Gate& g, std::vector<int>& log, Ended& end) -> Awaitable<void> {
        log.push_back(1);
        oai::net::start(next(g, log), end.note());
        const int three = co_await at_once(3);
        log.push_back(three);
    };
    oai::net::start(session(other, gate, order, second), first.note());
    CHECK(first.done);
    CHECK_FALSE(second.done);
    gate.open();
    CHECK(order == std::vector<int>{1, 2, 3, 4});
    CHECK(second.done);
}

TEST_CASE("an operation of Asio's throws what failed, or says it where it was told to") {
    asio::io_context context(1);
    Ended ended;
    std::string thrown;
    boost::system::error_code told;
    const auto session = [](asio::io_context& c, std::string& what,
                            boost::system::error_code& said) -> Awaitable<void> {
        co_await asio::post(c.get_executor(), use_awaitable);
        asio::steady_timer timer(c);
        timer.expires_after(std::chrono::hours{1});
        asio::post(c, [&timer] { timer.cancel(); });
        co_await timer.async_wait(use_awaitable(said));
        timer.expires_after(std::chrono::hours{1});
        asio::post(c, [&timer] { timer.cancel(); });
        try {
            co_await timer.async_wait(use_awaitable);
        } catch (const boost::system::system_error& e) {
            what = e.code().message();
        }
    };
    oai::net::start(session(context, thrown, told), ended.note());
    context.run();
    CHECK(ended.done);
    CHECK(told == asio::error::operation_aborted);
    CHECK(thrown == told.message());
}

TEST_CASE("memory of frames comes back by its size") {
    void* const first = oai::net::take_frame(200);
    oai::net::give_frame(first, 200);
    void* const large = oai::net::take_frame(1000);
    CHECK(large != first);
    void* const again = oai::net::take_frame(250);  // the same step of 64 bytes as 200
#if !defined(__SANITIZE_ADDRESS__)
    CHECK(again == first);
#endif
    oai::net::give_frame(again, 250);
    oai::net::give_frame(large, 1000);
    void* const huge = oai::net::take_frame(100'000);
    oai::net::give_frame(huge, 100'000);
}
