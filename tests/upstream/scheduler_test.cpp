#include "upstream/scheduler.hpp"

#include <map>
#include <set>

#include <doctest/doctest.h>

using namespace oai;
using namespace oai::upstream;
using namespace std::chrono_literals;
using End = AttemptReport::End;
using wire::Refusal;

namespace {

const core::TimePoint kNow = core::TimePoint{} + 1h;

struct Pool {
    explicit Pool(std::size_t n, std::int64_t concurrency = 0) {
        for (std::size_t i = 0; i < n; ++i)
            accounts.push_back(Account{.name = "a" + std::to_string(i), .concurrency = concurrency});
    }
    std::optional<Lease> take(const Ask& ask = {}) { return scheduler.take(accounts, state, ask, kNow); }
    std::string chosen(const Ask& ask = {}) {
        const std::optional<Lease> lease = take(ask);
        return lease ? lease->account().name : "";
    }
    void fail(std::size_t i, AttemptReport report, int times = 1) {
        for (int n = 0; n < times; ++n) conclude(*accounts[i].state, report, {}, kNow, false);
    }

    std::vector<Account> accounts;
    std::shared_ptr<PoolState> state = std::make_shared<PoolState>();
    Scheduler scheduler;
};

}  // namespace

TEST_CASE("a seed chooses the same account while nothing changes, and seeds spread") {
    Pool pool(20);
    std::map<std::string, int> seen;
    for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
        const std::uint64_t spread = seed * 0x9E3779B97F4A7C15ULL;
        const std::string first = pool.chosen({.seed = spread});
        CHECK(pool.chosen({.seed = spread}) == first);
        ++seen[first];
    }
    CHECK(seen.size() == Scheduler::kTopK);  // equals: the first seven found, each about as often
    for (const auto& [name, count] : seen) CHECK(count > 2000 / 7 / 2);
}

TEST_CASE("priority, load, errors and speed decide the order") {
    struct Row {
        const char* name;
        void (*worsen)(Account&);
    };
    const Row rows[] = {
        {"a later priority", [](Account& a) { a.priority = 60; }},
        {"busy",
         [](Account& a) {
             for (int i = 0; i < 9; ++i) a.state->enter(10);
         }},
        {"errors", [](Account& a) { a.state->error_rate.add(1); }},
        {"others wait for it", [](Account& a) { a.state->waiting = 5; }},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        Pool pool(2, 10);
        row.worsen(pool.accounts[0]);
        const std::vector<double> scores = Scheduler::scores(pool.accounts, {}, kNow);
        CHECK(scores[0] < scores[1] - 0.2);
    }
    Pool pool(2);
    pool.accounts[0].state->ttft_us.add(900'000);
    pool.accounts[1].state->ttft_us.add(100'000);
    const std::vector<double> scores = Scheduler::scores(pool.accounts, {}, kNow);
    CHECK(scores[1] - scores[0] == doctest::Approx(0.5));
}

TEST_CASE("a heavier account gets its share") {
    Pool pool(2);
    pool.accounts[0].weight = 9;
    int heavy = 0;
    for (std::uint64_t i = 1; i <= 1000; ++i) heavy += pool.chosen({.seed = i * 0x9E3779B97F4A7C15ULL}) == "a0";
    CHECK(heavy > 850);
    CHECK(heavy < 950);
}

TEST_CASE("every account can be reached, not only the best seven") {
    Pool pool(30, 1);
    std::vector<Lease> held;
    std::set<std::string> names;
    while (std::optional<Lease> lease = pool.take({.seed = 5})) {
        names.insert(lease->account().name);
        held.push_back(std::move(*lease));
    }
    CHECK(names.size() == 30);
    CHECK(Scheduler::full(pool.accounts, {}, kNow).size() == 30);
    held.pop_back();
    CHECK(pool.take({.seed = 5}));
}

TEST_CASE("a lease gives its place back however it ends") {
    Pool pool(1, 1);
    {
        std::optional<Lease> lease = pool.take();
        REQUIRE(lease);
        CHECK_FALSE(pool.take());
        Lease moved = std::move(*lease);
        lease.reset();
        CHECK_FALSE(pool.take());
    }
    CHECK(pool.take());
    CHECK(pool.accounts[0].state->in_flight_approx() == 0);
}

TEST_CASE("fail-over goes to accounts that were not tried and are thought well of") {
    Pool pool(3);
    const AccountState* tried[] = {pool.accounts[0].state.get()};
    pool.fail(1, {.end = End::broken}, 3);
    CHECK(pool.chosen({.tried = tried}) == "a2");
    pool.fail(2, {.refusal = Refusal::throttled, .rest = 60'000ms});
    CHECK(pool.chosen({.tried = tried}) == "");
    CHECK_FALSE(Scheduler::possible(pool.accounts, {.tried = tried}, kNow));
}

TEST_CASE("our own conclusions never close a pool; a provider's word does") {
    Pool pool(2);
    pool.fail(0, {.refusal = Refusal::credential});
    CHECK(pool.chosen() == "a1");
    pool.fail(1, {.end = End::broken}, 3);
    CHECK(pool.chosen() != "");  // both out by our own reckoning: still tried
    pool.fail(0, {.refusal = Refusal::throttled, .rest = 20'000ms});
    pool.fail(1, {.refusal = Refusal::throttled, .rest = 7'000ms});
    CHECK(pool.chosen() == "");
    const core::Error why = Scheduler::why_not(pool.accounts, {}, kNow);
    CHECK(why.code == core::Code::upstream_throttled);
    CHECK(why.retry_after == 7s);
}

TEST_CASE("a bound session comes back to its account, and leaves it for once when it must") {
    Pool pool(3, 2);
    const Ask ask{.seed = 4, .bound = pool.accounts[2].state.get()};
    CHECK(pool.chosen(ask) == "a2");
    SUBCASE("full") {
        const auto one = pool.take(ask), two = pool.take(ask);
        CHECK(pool.chosen(ask) != "a2");
        CHECK(pool.chosen(ask) != "");
    }
    SUBCASE("failing") {
        pool.accounts[2].state->error_rate.add(1);
        CHECK(should_escape(pool.accounts[2], pool.accounts));
    }
    SUBCASE("slow") {
        pool.accounts[0].state->ttft_us.add(200'000);
        pool.accounts[2].state->ttft_us.add(900'000);
        CHECK(should_escape(pool.accounts[2], pool.accounts));
    }
    SUBCASE("a little slower is no reason") {
        pool.accounts[0].state->ttft_us.add(200'000);
        pool.accounts[2].state->ttft_us.add(500'000);
        CHECK_FALSE(should_escape(pool.accounts[2], pool.accounts));
    }
}

TEST_CASE("what lives at one account goes nowhere else") {
    Pool pool(3, 1);
    const Ask ask{.bound = pool.accounts[1].state.get(), .only_bound = true};
    const std::optional<Lease> first = pool.take(ask);
    CHECK(first->account().name == "a1");
    CHECK_FALSE(pool.take(ask));
    CHECK(Scheduler::full(pool.accounts, ask, kNow) == std::vector<AccountState*>{pool.accounts[1].state.get()});
    CHECK(Scheduler::judge(pool.accounts[0], ask, kNow) == Out::elsewhere);
}

TEST_CASE("a half-open account gets one probe at a time, and traffic again when probes went well") {
    Pool pool(1);
    pool.fail(0, {.end = End::broken}, 3);
    const core::TimePoint later = kNow + 2s;
    for (int probe = 0; probe < 2; ++probe) {
        std::optional<Lease> lease = pool.scheduler.take(pool.accounts, pool.state, {}, later);
        REQUIRE(lease);
        lease->report({.end = End::answered}, {}, later);
    }
    CHECK(pool.accounts[0].state->breaker.state(later) == Breaker::State::closed);
}

TEST_CASE("while a probe is on its way, others go elsewhere, and to the same account when there is no other") {
    Pool pool(2);
    pool.fail(0, {.end = End::broken}, 3);
    const core::TimePoint later = kNow + 2s;
    const AccountState* tried[] = {pool.accounts[1].state.get()};
    const std::optional<Lease> probe = pool.scheduler.take(pool.accounts, pool.state, {.tried = tried}, later);
    REQUIRE(probe);
    CHECK(probe->account().name == "a0");
    for (int i = 0; i < 5; ++i) {
        const std::optional<Lease> other = pool.scheduler.take(pool.accounts, pool.state, {}, later);
        REQUIRE(other);
        CHECK(other->account().name == "a1");
    }
    pool.accounts[1].active = false;
    CHECK(Scheduler::full(pool.accounts, {}, later).empty());
    CHECK(pool.scheduler.take(pool.accounts, pool.state, {}, later));
}

TEST_CASE("retries are a share of the requests") {
    RetryBudget budget;
    int spent = 0;
    while (budget.spend()) ++spent;
    CHECK(spent == 10);
    for (int i = 0; i < 9; ++i) budget.earn(2000);
    CHECK(budget.spend());
    CHECK_FALSE(budget.spend());
    for (int i = 0; i < 10'000; ++i) budget.earn(2000);
    spent = 0;
    while (budget.spend()) ++spent;
    CHECK(spent == 100);
}
