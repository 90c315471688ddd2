#include <memory>
#include <string>

#include <benchmark/benchmark.h>

#include "counting.hpp"
#include "inputs.hpp"
#include "naive.hpp"
#include "upstream/scheduler.hpp"
#include "workbench.hpp"

// Points 6, 7 and 13: the account of a request, and what its end says about it.
namespace oai::bench {
namespace {

// Point 6. One iteration takes a place at an account and gives it back.

void schedule_sorted(benchmark::State& state) {
    const std::vector<upstream::Account> accounts = make_accounts(static_cast<std::size_t>(state.range(0)));
    naive::RuntimeStats stats;
    for (std::size_t i = 0; i < accounts.size(); ++i)
        stats.report(static_cast<std::int64_t>(i), i % 7 != 0, *accounts[i].state->ttft_us.value());
    const auto pool = std::make_shared<upstream::PoolState>();
    const core::TimePoint now = core::system_clock().now();
    std::uint64_t seed = 0;
    const Counting counting(state);
    for (auto _ : state) {
        const upstream::Ask ask{.model = kUpstreamModel, .seed = ++seed};
        if (!naive::schedule(accounts, pool, ask, now, stats)) state.SkipWithError("no account");
    }
}

void schedule_by_heap(benchmark::State& state) {
    const std::vector<upstream::Account> accounts = make_accounts(static_cast<std::size_t>(state.range(0)));
    const auto pool = std::make_shared<upstream::PoolState>();
    const core::TimePoint now = core::system_clock().now();
    upstream::Scheduler scheduler;
    std::uint64_t seed = 0;
    const Counting counting(state);
    for (auto _ : state) {
        const upstream::Ask ask{.model = kUpstreamModel, .seed = ++seed};
        if (!scheduler.take(accounts, pool, ask, now)) state.SkipWithError("no account");
    }
}

// Point 7. One iteration reports one good answer; the threads go round the same 16 accounts.

constexpr std::size_t kAccounts = 16;
constexpr double kTtftUs = 250'000;

void report_locked(benchmark::State& state) {
    static naive::RuntimeStats stats;
    auto at = static_cast<std::size_t>(state.thread_index());
    const Counting counting(state);
    for (auto _ : state) stats.report(static_cast<std::int64_t>(at++ % kAccounts), true, kTtftUs);
}

void report_lock_free(benchmark::State& state) {
    static const std::vector<upstream::Account> accounts = make_accounts(kAccounts);
    auto at = static_cast<std::size_t>(state.thread_index());
    const Counting counting(state);
    for (auto _ : state) {
        upstream::AccountState& account = *accounts[at++ % kAccounts].state;
        account.error_rate.add(0);
        account.ttft_us.add(kTtftUs);
    }
}

/// All that the end of an attempt says, the breaker's counts too.
void conclude(benchmark::State& state) {
    static const std::vector<upstream::Account> accounts = make_accounts(kAccounts);
    const upstream::BreakerSettings settings;
    const upstream::AttemptReport report{.ttft = std::chrono::microseconds{250'000}};
    const core::TimePoint now = core::system_clock().now();
    auto at = static_cast<std::size_t>(state.thread_index());
    const Counting counting(state);
    for (auto _ : state) upstream::conclude(*accounts[at++ % kAccounts].state, report, settings, now, false);
}

// Point 13. One iteration comes by the accounts that may serve a request: 20 of them.

void list_decoded(benchmark::State& state) {
    const std::string stored = naive::accounts_text(20);
    const Counting counting(state);
    for (auto _ : state) benchmark::DoNotOptimize(naive::list_accounts(stored));
}

void list_kept(benchmark::State& state) {
    const std::shared_ptr<const gateway::Tables> current = make_tables(make_accounts(20));
    std::uint64_t seed = 0;
    const Counting counting(state);
    for (auto _ : state) {
        const std::shared_ptr<const gateway::Tables> tables = current;
        const core::Result<upstream::Selection> selection = tables->catalog.select(kClientModel, ++seed);
        benchmark::DoNotOptimize(selection->version->accounts.data());
    }
}

BENCHMARK(schedule_sorted)->Name("06_scheduling/naive")->Arg(20)->Arg(200)->Arg(2000);
BENCHMARK(schedule_by_heap)->Name("06_scheduling/ours")->Arg(20)->Arg(200)->Arg(2000);
BENCHMARK(report_locked)->Name("07_ewma/naive")->ThreadRange(1, 8)->UseRealTime();
BENCHMARK(report_lock_free)->Name("07_ewma/ours")->ThreadRange(1, 8)->UseRealTime();
BENCHMARK(conclude)->Name("07_ewma/whole_report")->ThreadRange(1, 8)->UseRealTime();
BENCHMARK(list_decoded)->Name("13_account_list/naive");
BENCHMARK(list_kept)->Name("13_account_list/ours");

}  // namespace
}  // namespace oai::bench
