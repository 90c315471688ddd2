#include "upstream/scheduler.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace oai::upstream {

using core::Code;
using core::Error;

namespace {

/// xorshift64*: a fixed seed is a fixed order.
class Draws {
public:
    explicit Draws(std::uint64_t seed) noexcept : state_(seed | 1) {}
    double below(double bound) noexcept {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return static_cast<double>((state_ * 0x2545F4914F6CDD1DULL) >> 11) * 0x1.0p-53 * bound;
    }

private:
    std::uint64_t state_;
};

/// How full an account is, 0 to 1. One without a limit is measured against the busiest of the candidates.
double load_of(const Account& account, std::int64_t busiest) noexcept {
    const auto in_flight = static_cast<double>(account.state->in_flight_approx());
    const double room = account.concurrency > 0 ? static_cast<double>(account.concurrency)
                                                : static_cast<double>(std::max<std::int64_t>(busiest, 1));
    return std::clamp(in_flight / room, 0.0, 1.0);
}

}  // namespace

Lease& Lease::operator=(Lease&& other) noexcept {
    if (this != &other) {
        release();
        account_ = std::exchange(other.account_, nullptr);
        pool_ = std::move(other.pool_);
        probe_ = std::exchange(other.probe_, false);
    }
    return *this;
}

void Lease::report(const AttemptReport& report, const BreakerSettings& settings, core::TimePoint now) noexcept {
    conclude(*account_->state, report, settings, now, std::exchange(probe_, false));
}

void Lease::release() noexcept {
    if (account_ == nullptr) return;
    AccountState& state = *std::exchange(account_, nullptr)->state;
    state.breaker.forget(std::exchange(probe_, false));
    if (!pool_->line.hand_over(state)) state.leave();
}

Out Scheduler::judge(const Account& account, const Ask& ask, core::TimePoint now) noexcept {
    if (ask.only_bound && account.state.get() != ask.bound) return Out::elsewhere;
    if (std::ranges::find(ask.tried, account.state.get()) != ask.tried.end()) return Out::tried;
    const Out out = account.out(ask.model, now);
    if (out != Out::none) return out;
    if (account.concurrency > 0 && account.state->in_flight_approx() >= account.concurrency) return Out::full;
    return Out::none;
}

void Scheduler::score(std::vector<Candidate>& candidates) {
    // Everything is relative to the other candidates.
    std::int64_t busiest = 0, most_waiting = 1;
    std::int64_t first = std::numeric_limits<std::int64_t>::max(), last = std::numeric_limits<std::int64_t>::min();
    double fastest = std::numeric_limits<double>::infinity(), slowest = 0;
    for (const Candidate& c : candidates) {
        busiest = std::max(busiest, c.account->state->in_flight_approx());
        most_waiting = std::max(most_waiting, c.account->state->waiting.load(std::memory_order_relaxed));
        first = std::min(first, c.account->priority);
        last = std::max(last, c.account->priority);
        if (const auto ttft = c.account->state->ttft_us.value()) {
            fastest = std::min(fastest, *ttft);
            slowest = std::max(slowest, *ttft);
        }
    }
    for (Candidate& c : candidates) {
        const AccountState& state = *c.account->state;
        const double priority =
            last == first ? 1.0
                          : 1.0 - static_cast<double>(c.account->priority - first) / static_cast<double>(last - first);
        const double load = 1.0 - load_of(*c.account, busiest);
        const double queue = 1.0 - static_cast<double>(state.waiting.load(std::memory_order_relaxed)) /
                                       static_cast<double>(most_waiting);
        const double errors = 1.0 - state.error_rate.value().value_or(0.0);
        double speed = 0.5;  // nothing known: neither good nor bad
        if (const auto ttft = state.ttft_us.value(); ttft && slowest > fastest)
            speed = 1.0 - (*ttft - fastest) / (slowest - fastest);
        c.score = 1.0 * priority + 1.0 * load + 0.7 * queue + 0.8 * errors + 0.5 * speed;
    }
}

std::optional<Lease> Scheduler::enter(const Account& account, const std::shared_ptr<PoolState>& pool,
                                      core::TimePoint now, bool last_resort) const {
    if (!account.state->enter(account.concurrency)) return std::nullopt;
    bool probe = false;
    if (!account.state->breaker.enter(now, probe) && !last_resort) {
        account.state->leave();
        return std::nullopt;
    }
    return Lease(account, pool, probe);
}

std::optional<Lease> Scheduler::take_best(const std::shared_ptr<PoolState>& pool, std::uint64_t seed,
                                          core::TimePoint now, bool last_resort) {
    if (candidates_.size() == 1) return enter(*candidates_.front().account, pool, now, last_resort);
    score(candidates_);
    const auto better = [](const Candidate& a, const Candidate& b) { return a.score > b.score; };
    // The best K in a heap whose top is the worst of them.
    const std::size_t k = std::min(kTopK, candidates_.size());
    const auto middle = candidates_.begin() + static_cast<std::ptrdiff_t>(k);
    std::make_heap(candidates_.begin(), middle, better);
    for (auto it = middle; it != candidates_.end(); ++it) {
        if (!better(*it, candidates_.front())) continue;
        std::pop_heap(candidates_.begin(), middle, better);
        std::swap(*it, *(middle - 1));
        std::push_heap(candidates_.begin(), middle, better);
    }
    const double worst = candidates_.front().score;
    Draws draws(seed);
    const auto weight = [&](const Candidate& c) {
        return (c.score - worst + 1.0) * static_cast<double>(std::max<std::int64_t>(c.account->weight, 1));
    };
    // The heap's order depends on the scores of the moment; the draw must depend on the seed alone.
    std::sort(candidates_.begin(), middle,
              [](const Candidate& a, const Candidate& b) { return a.account->name < b.account->name; });
    for (std::size_t left = k; left > 0; --left) {
        double total = 0;
        for (std::size_t i = 0; i < left; ++i) total += weight(candidates_[i]);
        double at = draws.below(total);
        std::size_t chosen = 0;
        while (chosen + 1 < left && at >= weight(candidates_[chosen])) at -= weight(candidates_[chosen++]);
        std::optional<Lease> lease = enter(*candidates_[chosen].account, pool, now, last_resort);
        if (lease) return lease;
        std::rotate(candidates_.begin() + static_cast<std::ptrdiff_t>(chosen),
                    candidates_.begin() + static_cast<std::ptrdiff_t>(chosen + 1),
                    candidates_.begin() + static_cast<std::ptrdiff_t>(left));
    }
    for (auto it = middle; it != candidates_.end(); ++it) {
        std::optional<Lease> lease = enter(*it->account, pool, now, last_resort);
        if (lease) return lease;
    }
    return std::nullopt;
}

std::optional<Lease> Scheduler::take(std::span<const Account> accounts, const std::shared_ptr<PoolState>& pool,
                                     const Ask& ask, core::TimePoint now) {
    if (ask.bound != nullptr) {
        for (const Account& account : accounts) {
            if (account.state.get() != ask.bound || judge(account, ask, now) != Out::none) continue;
            if (!ask.only_bound && should_escape(account, accounts)) continue;
            std::optional<Lease> lease = enter(account, pool, now, false);
            if (lease) return lease;
        }
    }
    candidates_.clear();
    bool any_full = false;
    for (const Account& account : accounts) {
        const Out out = judge(account, ask, now);
        if (out == Out::none) candidates_.push_back({&account});
        any_full = any_full || out == Out::full;
    }
    if (!candidates_.empty()) {
        std::optional<Lease> lease = take_best(pool, ask.seed, now, false);
        if (lease) return lease;
    }
    // Fail-over goes only to accounts thought well of, and a full one is worth waiting for.
    if (any_full || !ask.tried.empty()) return std::nullopt;
    candidates_.clear();
    for (const Account& account : accounts) {
        if (is_conclusion(judge(account, ask, now))) candidates_.push_back({&account});
    }
    if (candidates_.empty()) return std::nullopt;
    return take_best(pool, ask.seed, now, true);
}

bool Scheduler::possible(std::span<const Account> accounts, const Ask& ask, core::TimePoint now) noexcept {
    return std::ranges::any_of(accounts, [&](const Account& a) { return judge(a, ask, now) == Out::none; });
}

std::vector<AccountState*> Scheduler::full(std::span<const Account> accounts, const Ask& ask, core::TimePoint now) {
    std::vector<AccountState*> states;
    for (const Account& account : accounts) {
        // Between the two looks a place may have become free: that is worth waiting for too, and is found at once.
        const Out out = judge(account, ask, now);
        if (out == Out::full || out == Out::none) states.push_back(account.state.get());
    }
    return states;
}

Error Scheduler::why_not(std::span<const Account> accounts, const Ask& ask, core::TimePoint now) {
    std::optional<core::TimePoint> soonest;
    bool serves = false, resting = false;
    for (const Account& account : accounts) {
        const Out out = judge(account, ask, now);
        serves = serves || (out != Out::model && out != Out::disabled);
        if (out != Out::resting) continue;
        resting = true;
        const core::TimePoint until = account.state->resting(now).until;
        if (!soonest || until < *soonest) soonest = until;
    }
    if (resting)
        return Error{.code = Code::upstream_throttled,
                     .source = core::Source::upstream,
                     .detail = "the provider asked for a pause; retry after it",
                     .retry_after = std::chrono::ceil<std::chrono::seconds>(*soonest - now)};
    return Error{.code = Code::unavailable,
                 .detail = serves ? "no account can take the request now"
                                  : "no account of this version serves the model; GET /v1/models lists those served"};
}

std::vector<double> Scheduler::scores(std::span<const Account> accounts, const Ask& ask, core::TimePoint now) {
    std::vector<Candidate> candidates;
    for (const Account& account : accounts) {
        if (judge(account, ask, now) == Out::none) candidates.push_back({&account});
    }
    score(candidates);
    std::vector<double> scores(accounts.size(), std::numeric_limits<double>::quiet_NaN());
    for (const Candidate& c : candidates) scores[static_cast<std::size_t>(c.account - accounts.data())] = c.score;
    return scores;
}

bool should_escape(const Account& bound, std::span<const Account> accounts) noexcept {
    constexpr double kFailing = 0.5;
    constexpr double kMuchSlowerUs = 500'000;
    if (bound.state->error_rate.value().value_or(0.0) >= kFailing) return true;
    const std::optional<double> ours = bound.state->ttft_us.value();
    if (!ours) return false;
    double fastest = *ours;
    for (const Account& account : accounts) fastest = std::min(fastest, account.state->ttft_us.value().value_or(*ours));
    return *ours > 2 * fastest && *ours - fastest > kMuchSlowerUs;
}

}  // namespace oai::upstream
