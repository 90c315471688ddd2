#include "upstream/account.hpp"

#include <doctest/doctest.h>

#include "upstream/sticky.hpp"

using namespace oai;
using namespace oai::upstream;
using namespace std::chrono_literals;
using End = AttemptReport::End;
using wire::Refusal;

namespace {

core::TimePoint at(std::chrono::nanoseconds since) {
    return core::TimePoint{} + 1h + since;
}

}  // namespace

TEST_CASE("what an attempt says about its account") {
    struct Row {
        const char* name;
        AttemptReport report;
        int times;
        Out soon;    // right after
        Out later;   // 1.5 s after
        Out minute;  // 59 s after
    };
    const Row rows[] = {
        {"an answer", {.end = End::answered}, 5, Out::none, Out::none, Out::none},
        {"the request was wrong", {.refusal = Refusal::request}, 9, Out::none, Out::none, Out::none},
        {"one server error", {.refusal = Refusal::server}, 1, Out::none, Out::none, Out::none},
        {"three of three", {.refusal = Refusal::server}, 3, Out::breaker, Out::breaker, Out::none},
        {"three cut answers", {.end = End::broken}, 3, Out::breaker, Out::breaker, Out::none},
        {"the client left, again and again", {.end = End::abandoned}, 9, Out::none, Out::none, Out::none},
        {"a burst", {.refusal = Refusal::throttled}, 1, Out::throttled, Out::none, Out::none},
        {"a window", {.refusal = Refusal::throttled, .rest = 60'000ms}, 1, Out::resting, Out::resting, Out::resting},
        {"many bursts are no failures", {.refusal = Refusal::throttled}, 9, Out::throttled, Out::none, Out::none},
        {"overloaded, with a time",
         {.refusal = Refusal::overloaded, .rest = 30'000ms},
         1,
         Out::throttled,
         Out::throttled,
         Out::none},
        {"a refused credential", {.refusal = Refusal::credential}, 1, Out::credential, Out::credential, Out::none},
        {"refused again and again",
         {.refusal = Refusal::credential},
         4,
         Out::credential,
         Out::credential,
         Out::credential},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        Account account{.name = "a"};
        for (int i = 0; i < row.times; ++i) conclude(*account.state, row.report, {}, at(0s), false);
        CHECK(account.out("m", at(0s)) == row.soon);
        CHECK(account.out("m", at(1500ms)) == row.later);
        CHECK(account.out("m", at(59s)) == row.minute);
    }
}

TEST_CASE("a model list is exact names and patterns; none is all") {
    Account account{.name = "a"};
    CHECK(account.serves("anything"));
    account.models = {"gpt-5", "o3-*"};
    CHECK(account.serves("gpt-5"));
    CHECK(account.serves("o3-mini"));
    CHECK_FALSE(account.serves("gpt-5-mini"));
    CHECK(account.out("gpt-4o", at(0s)) == Out::model);
    account.active = false;
    CHECK(account.out("gpt-5", at(0s)) == Out::disabled);
}

TEST_CASE("a place is taken once, up to the concurrency") {
    AccountState state;
    CHECK(state.enter(2));
    CHECK(state.enter(2));
    CHECK_FALSE(state.enter(2));
    state.leave();
    CHECK(state.enter(2));
    CHECK(state.enter(0));
    CHECK(state.in_flight_approx() == 3);
}

TEST_CASE("a session stays where it was bound, until it has rested too long or others need the room") {
    Sticky sticky(32, 10min);
    const auto a = std::make_shared<AccountState>(), b = std::make_shared<AccountState>();
    CHECK(sticky.find(1, at(0s)) == nullptr);
    sticky.bind(1, a, at(0s));
    sticky.bind(1, b, at(0s));  // the first binding holds
    CHECK(sticky.find(1, at(9min)) == a.get());
    CHECK(sticky.find(1, at(18min)) == a.get());  // used meanwhile
    CHECK(sticky.find(1, at(29min)) == nullptr);
    for (std::uint64_t i = 0; i < 3; ++i) sticky.bind(100 + 16 * i, a, at(30min + i * 1s));  // one shard, room for two
    CHECK(sticky.find(100, at(31min)) == nullptr);
    CHECK(sticky.find(132, at(31min)) == a.get());
    CHECK(session_hash("key-a", "s") != session_hash("key-b", "s"));
    CHECK(combine(session_hash("k", "s"), "v1") != combine(session_hash("k", "s"), "v2"));
}
