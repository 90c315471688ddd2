#include "upstream/wait_line.hpp"

#include <doctest/doctest.h>

using namespace oai;
using namespace oai::upstream;
using namespace std::chrono_literals;

namespace {

struct Site {
    net::Worker worker{"test"};
    WaitLine line{2};
    AccountState a, b;
    std::vector<std::string> served;  ///< names of those who got a place, in order
    std::vector<core::Code> refused;
    std::string gone = {};  ///< name of the one who left

    net::Awaitable<void> wait(std::string name, std::vector<AccountState*> accounts, std::chrono::nanoseconds patience,
                              AccountState* free_now = nullptr) {
        const std::function<AccountState*()> try_now = [free_now] { return free_now; };
        const std::function<bool()> left = [&] { return gone == name; };
        const core::TimePoint deadline = std::chrono::steady_clock::now() + patience;
        const core::Result<AccountState*> place =
            co_await line.wait(worker, std::move(accounts), deadline, try_now, left);
        if (place) {
            served.push_back(name + (*place == &a ? "a" : "b"));
        } else {
            refused.push_back(place.error().code);
        }
        if (worker.sessions() == 1) worker.stop();
    }
};

}  // namespace

TEST_CASE("first come, first served, at an account one can use") {
    Site site;
    site.a.enter(1);
    site.worker.spawn(site.wait("1", {&site.a}, 10s));
    site.worker.spawn(site.wait("2", {&site.a, &site.b}, 10s));
    site.worker.post([&] {
        CHECK(site.line.waiting_approx() == 2);
        CHECK(site.a.waiting == 2);  // what the scheduler counts against an account
        CHECK(site.b.waiting == 1);
        CHECK(site.line.hand_over(site.b));  // the first cannot use it
        CHECK(site.line.hand_over(site.a));
        CHECK_FALSE(site.line.hand_over(site.a));
    });
    site.worker.run();
    CHECK(site.served == std::vector<std::string>{"2b", "1a"});
    CHECK(site.line.waiting_approx() == 0);
    CHECK(site.a.waiting == 0);
    CHECK(site.b.waiting == 0);
    CHECK(site.a.in_flight_approx() == 1);  // handed over, never free
}

TEST_CASE("the line is bounded, and so is the wait") {
    Site site;
    site.worker.spawn(site.wait("1", {&site.a}, 30ms));
    site.worker.spawn(site.wait("2", {&site.a}, 40ms));
    site.worker.spawn(site.wait("3", {&site.a}, 10s));
    site.worker.run();
    CHECK(site.served.empty());
    CHECK(site.refused == std::vector<core::Code>(3, core::Code::rate_limited));
}

TEST_CASE("a place that became free meanwhile is taken at once") {
    Site site;
    site.worker.spawn(site.wait("1", {&site.a}, 10s, &site.a));
    site.worker.run();
    CHECK(site.served == std::vector<std::string>{"1a"});
}

TEST_CASE("one who left waits no longer") {
    Site site;
    site.gone = "1";
    site.worker.spawn(site.wait("1", {&site.a}, 10s));
    site.worker.run();
    CHECK(site.refused == std::vector<core::Code>{core::Code::cancelled});
}

TEST_CASE("a place that was handed to one who left goes to the next") {
    Site site;
    site.a.enter(1);
    site.worker.spawn(site.wait("1", {&site.a}, 10s));
    site.worker.spawn(site.wait("2", {&site.a}, 10s));
    site.worker.post([&] {
        site.gone = "1";
        CHECK(site.line.hand_over(site.a));
    });
    site.worker.run();
    CHECK(site.refused == std::vector<core::Code>{core::Code::cancelled});
    CHECK(site.served == std::vector<std::string>{"2a"});
    CHECK(site.a.in_flight_approx() == 1);
    CHECK(site.line.waiting_approx() == 0);
}
