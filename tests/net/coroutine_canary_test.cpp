// The coroutine patterns the sessions rely on, held under this compiler: g++ 10 to 12 have destroyed a parameter twice,
// never, or too early in some of the forms STYLE 3 forbids. If this file fails, no session can be trusted.
#include <memory>
#include <stdexcept>
#include <string>

#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include "net/types.hpp"

namespace asio = boost::asio;
using oai::net::Awaitable;

namespace {

struct Counts {
    int made = 0;
    int destroyed = 0;
};

class Tracked {
public:
    explicit Tracked(Counts& counts) : counts_(&counts) { ++counts_->made; }
    Tracked(Tracked&& other) noexcept : counts_(other.counts_) { ++counts_->made; }
    Tracked(const Tracked& other) : counts_(other.counts_) { ++counts_->made; }
    ~Tracked() { ++counts_->destroyed; }

private:
    Counts* counts_;
};

template <class Start>
void run(Start start) {
    asio::io_context context(1);
    std::exception_ptr escaped;
    oai::net::start(start(context), [&](std::exception_ptr e) { escaped = e; });
    context.run();
    if (escaped) std::rethrow_exception(escaped);
}

Awaitable<void> hop(asio::io_context& context) {
    co_await asio::post(context.get_executor(), oai::net::use_awaitable);
}

Awaitable<int> by_value(asio::io_context& context, Tracked, std::string text) {
    co_await hop(context);
    co_return static_cast<int>(text.size());
}

Awaitable<std::unique_ptr<int>> move_only(asio::io_context& context) {
    co_await hop(context);
    co_return std::make_unique<int>(42);
}

Awaitable<std::unique_ptr<Tracked>> make_tracked(asio::io_context& context, Counts& counts) {
    co_await hop(context);
    co_return std::make_unique<Tracked>(counts);
}

Awaitable<void> thrower(asio::io_context& context, Tracked) {
    co_await hop(context);
    throw std::runtime_error("from the depth");
}

}  // namespace

TEST_CASE("a named argument passed by value is destroyed as often as it was made") {
    Counts counts;
    int got = 0;
    run([&](asio::io_context& context) -> Awaitable<void> {
        return [](asio::io_context& c, Counts& n, int& out) -> Awaitable<void> {
            Tracked named(n);
            const std::string text(100, 'x');
            out = co_await by_value(c, std::move(named), text);
        }(context, counts, got);
    });
    CHECK(got == 100);
    CHECK(counts.made == counts.destroyed);
    CHECK(counts.made >= 2);
}

TEST_CASE("a value that can only be moved comes back whole") {
    int got = 0;
    run([&](asio::io_context& context) -> Awaitable<void> {
        return [](asio::io_context& c, int& out) -> Awaitable<void> {
            const std::unique_ptr<int> value = co_await move_only(c);
            out = *value;
        }(context, got);
    });
    CHECK(got == 42);
}

TEST_CASE("an exception unwinds every frame and destroys what they held") {
    Counts counts;
    const auto start = [&](asio::io_context& context) -> Awaitable<void> {
        return [](asio::io_context& c, Counts& n) -> Awaitable<void> {
            const Tracked outer(n);
            Tracked inner(n);
            co_await thrower(c, std::move(inner));
        }(context, counts);
    };
    CHECK_THROWS_WITH(run(start), "from the depth");
    CHECK(counts.made == counts.destroyed);
}

TEST_CASE(
    "results awaited in both arms of an if are destroyed once each; never write this as ?:, g++ 12 destroys those "
    "twice") {
    for (const bool first : {true, false}) {
        Counts counts;
        run([&](asio::io_context& context) -> Awaitable<void> {
            return [](asio::io_context& c, Counts& n, bool which) -> Awaitable<void> {
                std::unique_ptr<Tracked> got;
                if (which) {
                    got = co_await make_tracked(c, n);
                } else {
                    got = co_await make_tracked(c, n);
                }
                co_await hop(c);
            }(context, counts, first);
        });
        CHECK(counts.made == 1);
        CHECK(counts.destroyed == 1);
    }
}

TEST_CASE("a suspended frame is destroyed with its context, with what it holds") {
    Counts counts;
    {
        asio::io_context context(1);
        const auto waits = [](asio::io_context& c, Counts& n) -> Awaitable<void> {
            const Tracked held(n);
            oai::net::Acceptor acceptor(c.get_executor(), {asio::ip::address_v4::loopback(), 0});
            co_await acceptor.async_accept(oai::net::use_awaitable);
        };
        oai::net::start(waits(context, counts), [](const std::exception_ptr&) {});
        context.poll();  // now it waits for a connection that never comes
        CHECK(counts.destroyed < counts.made);
    }
    CHECK(counts.made == counts.destroyed);
}
