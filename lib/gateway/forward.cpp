#include "gateway/forward.hpp"

#include <algorithm>

#include "gateway/stages.hpp"
#include "gateway/worker_state.hpp"
#include "net/suspend.hpp"

namespace oai::gateway {

using core::Code;
using core::Error;
using core::Result;
using net::Awaitable;
using net::Stream;
using upstream::AttemptReport;

core::TimePoint deadline_after(std::chrono::nanoseconds after, core::TimePoint now) noexcept {
    return after.count() == 0 ? Stream::kNever : now + after;
}

Stream::Write write_to_client(Exchange& x, const net::Pieces& pieces) noexcept {
    return x.downstream.stream->write(pieces, x.tables->timeouts.idle);
}

Result<void> written_or_left(Exchange& x, bool written) {
    if (written) return {};
    x.reply.keep = false;
    return Error{
        .code = Code::cancelled,
        .source = core::Source::downstream,
        .detail = x.downstream.stream->timed_out() ? "the client does not read its answer" : "the client left"};
}

bool client_gone(const Exchange& x) noexcept {
    return x.turn != nullptr ? x.turn->client_gone() : x.downstream.stream->peer_gone();
}

bool is_worth_another(const Exchange& x, wire::Refusal refusal) noexcept {
    switch (refusal) {
        case wire::Refusal::none:
        case wire::Refusal::request: return false;
        case wire::Refusal::conflict: return x.tables->failover.conflicts;
        default: return true;
    }
}

bool can_fail_over(const Exchange& x) noexcept {
    if (x.reply.committed || !x.body.repeatable() || x.attempt_count >= x.tables->failover.max_attempts) return false;
    const core::TimePoint now = x.worker.shared.clock.now();
    if (now >= deadline_after(x.tables->timeouts.total, x.stamps.scheduled)) return false;
    return upstream::Scheduler::possible(x.selection.version->accounts, x.ask, now);
}

bool claim_next(Exchange& x) {
    if (x.next) return true;
    if (!can_fail_over(x) || x.worker.net.stopping() || client_gone(x)) return false;
    const upstream::Version& version = *x.selection.version;
    x.next = x.worker.scheduler.take(version.accounts, version.pool, x.ask, x.worker.shared.clock.now());
    if (x.next && !version.pool->retries.spend()) x.next.reset();
    return x.next.has_value();
}

namespace {

/// A place at an account, at once when there is one; otherwise in the line of those who wait.
Awaitable<Result<upstream::Lease>> wait_for_account(Exchange& x) {
    const upstream::Version& version = *x.selection.version;
    const core::TimePoint now = x.worker.shared.clock.now();
    std::vector<upstream::AccountState*> full = upstream::Scheduler::full(version.accounts, x.ask, now);
    if (full.empty()) co_return upstream::Scheduler::why_not(version.accounts, x.ask, now);
    std::optional<upstream::Lease> taken;
    const std::function<upstream::AccountState*()> try_now = [&]() -> upstream::AccountState* {
        taken = x.worker.scheduler.take(version.accounts, version.pool, x.ask, x.worker.shared.clock.now());
        return taken ? taken->account().state.get() : nullptr;
    };
    // No attempt runs, so no PeerWatch looks: a client that left would be noticed only when its turn has come.
    const std::function<bool()> gone = [&] {
        Stream& client = *x.downstream.stream;
        return !client.is_open() || (x.turn != nullptr ? x.turn->client_gone() : client.look_for_peer());
    };
    const core::TimePoint deadline = deadline_after(x.tables->queue_timeout, now);
    const Result<upstream::AccountState*> place =
        co_await version.pool->line.wait(x.worker.net, std::move(full), deadline, try_now, gone);
    if (!place) co_return place.error();
    if (taken) co_return std::move(*taken);
    for (const upstream::Account& account : version.accounts) {
        if (account.state.get() == *place) co_return upstream::Lease(account, version.pool, false);
    }
    co_return Error{.code = Code::internal, .detail = "a place at an account that is not of this version"};
}

void begin_attempt(Exchange& x, const upstream::Lease& lease, core::TimePoint now) {
    x.attempt_start = now;
    x.tried[x.attempt_count] = lease.account().state.get();
    x.attempts[x.attempt_count++] = Attempt{.account = &lease.account()};
    x.ask.tried = {x.tried.data(), x.attempt_count};
    // What an earlier attempt learned of its answer is not this one's.
    x.stamps.sent.reset();
    x.stamps.first_byte.reset();
    x.stamps.first_event.reset();
    x.usage.reset();
    x.rest.reset();
}

/// What an attempt says about its account, and to the numbers: the one place.
void finish_attempt(Exchange& x, upstream::Lease& lease, const Result<void>& sent) {
    const core::TimePoint now = x.worker.shared.clock.now();
    if (sent) x.stamps.end = now;
    Attempt& attempt = x.attempt();
    attempt.ms = static_cast<std::uint32_t>(core::elapsed_us(*x.attempt_start, now).count() / 1000);
    attempt.failed = !sent || attempt.refusal != wire::Refusal::none;
    AttemptReport report{.refusal = attempt.refusal, .rest = x.rest};
    if (!sent && attempt.refusal == wire::Refusal::none) {
        attempt.code = sent.error().code;
        report.end =
            sent.error().source == core::Source::upstream ? AttemptReport::End::broken : AttemptReport::End::abandoned;
    }
    if (x.stamps.first_output) report.ttft = core::elapsed_us(*x.attempt_start, *x.stamps.first_output);
    lease.report(report, x.tables->breaker, now);
    if (!attempt.failed && x.session != 0 && x.ask.bound == nullptr)
        x.worker.shared.sticky.bind(x.session, lease.account().state, now);
    if (!attempt.failed || report.end == AttemptReport::End::abandoned) return;
    const bool throttled = attempt.refusal == wire::Refusal::throttled || attempt.status == 529;
    const bool callers = attempt.refusal == wire::Refusal::request || attempt.refusal == wire::Refusal::conflict;
    attempt.by_upstream = !callers;
    x.sample.upstream_throttled = x.sample.upstream_throttled || throttled;
    x.sample.upstream_failed = x.sample.upstream_failed || (!throttled && !callers);
}

/// Jittered, so that the requests that failed together do not come back together. The first retry goes at once: it goes
/// to another account.
Awaitable<void> back_off(Exchange& x) {
    if (x.attempt_count < 2 || x.tables->failover.backoff.count() == 0) co_return;
    const auto base = x.tables->failover.backoff * (1 << std::min(x.attempt_count - 2, 6U));
    const auto jittered = base / 2 + std::chrono::nanoseconds{static_cast<std::int64_t>(
                                         x.worker.net.ids().next() % static_cast<std::uint64_t>(base.count() + 1))};
    co_await net::pause(x.worker.net, jittered);
}

}  // namespace

Awaitable<Result<void>> forward(Exchange& x) {
    const upstream::Version& version = *x.selection.version;
    version.pool->retries.earn(x.tables->failover.retry_budget_bp);
    core::TimePoint now = x.worker.shared.clock.now();
    x.next = x.worker.scheduler.take(version.accounts, version.pool, x.ask, now);
    if (!x.next) {
        Result<upstream::Lease> waited = co_await wait_for_account(x);
        if (!waited) co_return waited.error();
        x.next.emplace(std::move(*waited));
        now = x.worker.shared.clock.now();
    }
    for (;;) {
        upstream::Lease lease = std::move(*x.next);
        x.next.reset();
        begin_attempt(x, lease, now);
        const Result<void> sent = co_await try_account(x, lease.account());
        finish_attempt(x, lease, sent);
        if (sent || !sent.error().retryable || x.reply.committed || !claim_next(x)) co_return sent;
        co_await back_off(x);
        now = x.worker.shared.clock.now();
    }
}

}  // namespace oai::gateway
