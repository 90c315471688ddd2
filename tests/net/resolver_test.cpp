#include "net/resolver.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include "net/loop.hpp"
#include "net/stream.hpp"

using namespace oai;
using namespace oai::net;
using namespace std::chrono_literals;
using oai::test::in;
using oai::test::Loop;

namespace {

using Answer = core::Result<std::vector<IpAddress>>;

Answer at(const char* address) {
    return std::vector{boost::asio::ip::make_address(address)};
}

Answer fails(const char* why) {
    return core::Error{.code = core::Code::connect_failed, .detail = why};
}

std::string text(const Answer& answer) {
    return answer ? answer->front().to_string() : answer.error().detail;
}

/// A name service that says what it is told to, and can be made to hang.
class FakeNames : public std::enable_shared_from_this<FakeNames> {
public:
    Resolver::Lookup lookup() {
        return [self = shared_from_this()](const std::string& host) { return self->look_up(host); };
    }
    void says(Answer answer) {
        const std::lock_guard lock(mutex_);
        answer_ = std::move(answer);
    }
    void hang() {
        const std::lock_guard lock(mutex_);
        hanging_ = true;
    }
    void go_on() {
        const std::lock_guard lock(mutex_);
        hanging_ = false;
        changed_.notify_all();
    }
    void wait_for_calls(int n) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return calls_ >= n; });
    }
    int calls() {
        const std::lock_guard lock(mutex_);
        return calls_;
    }

private:
    Answer look_up(const std::string& host) {
        std::unique_lock lock(mutex_);
        if (host.starts_with("settle")) return at("192.0.2.9");
        ++calls_;
        changed_.notify_all();
        changed_.wait(lock, [&] { return !hanging_; });
        return answer_;
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    Answer answer_ = at("192.0.2.1");
    bool hanging_ = false;
    int calls_ = 0;
};

struct Fixture {
    explicit Fixture(Resolver::Limits limits = {.threads = 1}) : resolver(limits, names->lookup(), clock) {}

    /// Back when the lookups that were started before are done: there is one thread, and this is its next.
    Awaitable<void> settle(Worker& worker) {
        const std::string name = "settle" + std::to_string(++settled);
        const Answer answer = co_await resolver.resolve(worker, name, in(10s));
        CHECK(answer);
    }

    std::shared_ptr<FakeNames> names = std::make_shared<FakeNames>();
    core::ManualClock clock;
    Resolver resolver;
    Loop loop;
    int settled = 0;
};

const std::string kName = "api.example";

}  // namespace

TEST_CASE("an answer is kept for its time, serves a while longer, and is renewed meanwhile") {
    Fixture f;
    f.loop.run([&](Worker& worker) -> Awaitable<void> {
        const Answer first = co_await f.resolver.resolve(worker, kName, in(10s));
        CHECK(text(first) == "192.0.2.1");
        f.names->says(at("192.0.2.2"));
        f.clock.advance(29s);
        const Answer kept = co_await f.resolver.resolve(worker, kName, in(10s));
        CHECK(text(kept) == "192.0.2.1");
        CHECK(f.names->calls() == 1);

        f.clock.advance(2s);
        f.names->hang();
        const Answer stale = co_await f.resolver.resolve(worker, kName, in(10s));
        CHECK(text(stale) == "192.0.2.1");
        const Answer again = co_await f.resolver.resolve(worker, kName, in(10s));
        CHECK(text(again) == "192.0.2.1");
        f.names->go_on();
        co_await f.settle(worker);
        const Answer renewed = co_await f.resolver.resolve(worker, kName, in(10s));
        CHECK(text(renewed) == "192.0.2.2");
        CHECK(f.names->calls() == 2);

        f.clock.advance(331s);
        f.names->says(at("192.0.2.3"));
        const Answer fresh = co_await f.resolver.resolve(worker, kName, in(10s));
        CHECK(text(fresh) == "192.0.2.3");  // too old to serve: waited for
    });
}

TEST_CASE("a failure is kept for a shorter time") {
    Fixture f;
    f.loop.run([&](Worker& worker) -> Awaitable<void> {
        f.names->says(fails("no such name"));
        const Answer first = co_await f.resolver.resolve(worker, kName, in(10s));
        CHECK(text(first) == "no such name");
        f.names->says(at("192.0.2.2"));
        f.clock.advance(4s);
        const Answer kept = co_await f.resolver.resolve(worker, kName, in(10s));
        CHECK(text(kept) == "no such name");
        f.clock.advance(1s);
        const Answer again = co_await f.resolver.resolve(worker, kName, in(10s));
        CHECK(text(again) == "192.0.2.2");
        CHECK(f.names->calls() == 2);
    });
}

TEST_CASE("an outage of the name service leaves the last addresses in use, for a while") {
    Fixture f;
    f.loop.run([&](Worker& worker) -> Awaitable<void> {
        co_await f.resolver.resolve(worker, kName, in(10s));
        f.names->says(fails("no name service"));
        int calls = 1;
        // Asked every three seconds: from 30 on a renewal is tried, and five seconds after each that failed.
        for (int second = 3; second < 324; second += 3) {
            CAPTURE(second);
            f.clock.advance(3s);
            const Answer answer = co_await f.resolver.resolve(worker, kName, in(10s));
            CHECK(text(answer) == "192.0.2.1");
            if (second >= 30 && second % 6 == 0) ++calls;
            co_await f.settle(worker);
            CHECK(f.names->calls() == calls);
        }
        f.clock.advance(6s);
        const Answer last = co_await f.resolver.resolve(worker, kName, in(10s));
        CHECK(text(last) == "192.0.2.1");
        co_await f.settle(worker);
        // That renewal failed three seconds ago, but there is nothing left that could serve meanwhile.
        f.clock.advance(3s);
        const Answer at_last = co_await f.resolver.resolve(worker, kName, in(10s));
        CHECK(text(at_last) == "no name service");
    });
}

TEST_CASE("callers that ask at once share one lookup") {
    Fixture f;
    f.names->hang();
    std::vector<std::string> answers;
    struct Caller {
        static Awaitable<void> ask(Resolver& resolver, Worker& worker, std::vector<std::string>& into) {
            const Answer answer = co_await resolver.resolve(worker, kName, in(10s));
            into.push_back(text(answer));
        }
    };
    f.loop.run([&](Worker& worker) -> Awaitable<void> {
        for (int i = 0; i < 3; ++i) worker.spawn(Caller::ask(f.resolver, worker, answers));
        f.names->wait_for_calls(1);
        f.names->go_on();
        while (answers.size() < 3) co_await boost::asio::post(worker.executor(), use_awaitable);
    });
    CHECK(answers == std::vector<std::string>(3, "192.0.2.1"));
    CHECK(f.names->calls() == 1);
}

TEST_CASE("who cannot wait any longer goes, and the answer is kept when it comes") {
    Fixture f;
    f.names->hang();
    f.loop.run([&](Worker& worker) -> Awaitable<void> {
        const core::TimePoint asked = std::chrono::steady_clock::now();
        const Answer late = co_await f.resolver.resolve(worker, kName, in(20ms));
        CHECK(text(late) == "the name was not resolved in time");
        CHECK(late.error().code == core::Code::connect_failed);
        CHECK(late.error().retryable);
        CHECK(std::chrono::steady_clock::now() - asked < 5s);
        f.names->go_on();
        co_await f.settle(worker);
        const Answer kept = co_await f.resolver.resolve(worker, kName, in(10s));
        CHECK(text(kept) == "192.0.2.1");
        CHECK(f.names->calls() == 1);
    });
}

TEST_CASE("a lookup that hangs outlasts its worker and its resolver, and hurts neither") {
    const auto names = std::make_shared<FakeNames>();
    names->hang();
    {
        const core::ManualClock clock;
        Resolver resolver(Resolver::Limits{}, names->lookup(), clock);
        Loop loop;
        std::string answer;
        loop.run([&](Worker& worker) -> Awaitable<void> {
            worker.stop();
            const Answer given_up = co_await resolver.resolve(worker, kName, Stream::kNever);
            answer = text(given_up);
        });
        CHECK(answer == "the program is stopping");
        names->wait_for_calls(1);
    }
    CHECK(names.use_count() > 1);  // held by the thread that hangs
    names->go_on();
    const core::TimePoint patience = in(10s);
    while (names.use_count() > 1 && std::chrono::steady_clock::now() < patience) std::this_thread::yield();
    CHECK(names.use_count() == 1);
}

TEST_CASE("more names than may wait for a thread are refused") {
    Fixture f({.threads = 1, .queue = 1});
    f.names->hang();
    const std::string second = "second.example", third = "third.example";
    f.loop.run([&](Worker& worker) -> Awaitable<void> {
        const Answer looking = co_await f.resolver.resolve(worker, kName, in(1ms));
        CHECK(text(looking) == "the name was not resolved in time");
        f.names->wait_for_calls(1);
        const Answer queued = co_await f.resolver.resolve(worker, second, in(1ms));
        CHECK(text(queued) == "the name was not resolved in time");
        const Answer refused = co_await f.resolver.resolve(worker, third, in(10s));
        CHECK(text(refused) == "too many names are being looked up");
        f.names->go_on();
    });
}

TEST_CASE("no more names are remembered than the limit says") {
    Fixture f({.threads = 1, .names = 2});
    f.loop.run([&](Worker& worker) -> Awaitable<void> {
        for (const char* name : {"a", "b", "b", "c", "a"}) {
            const std::string host = name;
            const Answer answer = co_await f.resolver.resolve(worker, host, in(10s));
            CHECK(answer);
        }
    });
    CHECK(f.names->calls() == 4);
}

TEST_CASE("a name without an address is a failure") {
    Fixture f;
    f.names->says(std::vector<IpAddress>{});
    f.loop.run([&](Worker& worker) -> Awaitable<void> {
        const Answer answer = co_await f.resolver.resolve(worker, kName, in(10s));
        CHECK(text(answer) == "the name has no address");
    });
}

TEST_CASE("the resolver of the process asks the system") {
    Loop loop;
    const std::string local = "localhost", wrong = "a..b";
    loop.run([&](Worker& worker) -> Awaitable<void> {
        const Answer found = co_await Resolver::of_process().resolve(worker, local, in(10s));
        REQUIRE(found);
        for (const IpAddress& address : *found) CHECK(address.is_loopback());
        const Answer none = co_await Resolver::of_process().resolve(worker, wrong, in(10s));
        CHECK_FALSE(none);
        CHECK(none.error().detail != "");
    });
}
