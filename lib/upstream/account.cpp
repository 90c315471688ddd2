#include "upstream/account.hpp"

#include <algorithm>

namespace oai::upstream {

namespace {

/// After a refused credential, doubled each time in a row: a person has to mend it, or a quota to come back.
constexpr std::chrono::seconds kFirstBench{10};
constexpr std::chrono::minutes kLongestBench{10};
/// A 429 that does not say how long is a burst.
constexpr std::chrono::seconds kBurstRest{1};

core::TimePoint time_of(const std::atomic<std::int64_t>& ns) noexcept {
    return core::TimePoint{std::chrono::nanoseconds{ns.load(std::memory_order_relaxed)}};
}

void raise(std::atomic<std::int64_t>& to, core::TimePoint until) noexcept {
    const std::int64_t wanted = until.time_since_epoch().count();
    std::int64_t before = to.load(std::memory_order_relaxed);
    while (before < wanted && !to.compare_exchange_weak(before, wanted, std::memory_order_relaxed)) {
    }
}

}  // namespace

std::string_view name_of(Out out) noexcept {
    switch (out) {
        case Out::none: break;
        case Out::disabled: return "disabled";
        case Out::model: return "model_not_listed";
        case Out::elsewhere: return "resource_elsewhere";
        case Out::tried: return "tried";
        case Out::resting: return "resting";
        case Out::throttled: return "throttled";
        case Out::credential: return "credential_refused";
        case Out::breaker: return "breaker_open";
        case Out::full: return "full";
    }
    return "eligible";
}

bool AccountState::enter(std::int64_t concurrency) noexcept {
    std::int64_t before = in_flight_.load(std::memory_order_relaxed);
    do {
        if (concurrency > 0 && before >= concurrency) return false;
    } while (!in_flight_.compare_exchange_weak(before, before + 1, std::memory_order_acq_rel));
    return true;
}

void AccountState::rest(core::TimePoint until) noexcept {
    raise(rest_until_, until);
}

void AccountState::throttle(core::TimePoint until) noexcept {
    raise(throttled_until_, until);
}

void AccountState::bench(core::TimePoint now) noexcept {
    const std::uint32_t row = std::min(refusals_in_a_row_.fetch_add(1, std::memory_order_relaxed), 16U);
    raise(benched_until_, now + std::min<std::chrono::nanoseconds>(kFirstBench * (1 << row), kLongestBench));
}

AccountState::Rest AccountState::resting(core::TimePoint now) const noexcept {
    if (const core::TimePoint until = time_of(rest_until_); now < until) return {Out::resting, until};
    if (const core::TimePoint until = time_of(benched_until_); now < until) return {Out::credential, until};
    if (const core::TimePoint until = time_of(throttled_until_); now < until) return {Out::throttled, until};
    const core::TimePoint open = breaker.open_until();
    if (now < open || (open != core::TimePoint{} && breaker.probing())) return {Out::breaker, open};
    return {};
}

bool matches_pattern(std::string_view pattern, std::string_view name) noexcept {
    if (!pattern.ends_with('*')) return pattern == name;
    return name.starts_with(pattern.substr(0, pattern.size() - 1));
}

bool Account::serves(std::string_view model) const noexcept {
    if (models.empty() || model.empty()) return true;
    return std::ranges::any_of(models, [&](const std::string& pattern) { return matches_pattern(pattern, model); });
}

Out Account::out(std::string_view model, core::TimePoint now) const noexcept {
    if (!active) return Out::disabled;
    if (!serves(model)) return Out::model;
    return state->resting(now).why;
}

void conclude(AccountState& state, const AttemptReport& report, const BreakerSettings& settings, core::TimePoint now,
              bool probe) noexcept {
    using wire::Refusal;
    state.attempts.fetch_add(1, std::memory_order_relaxed);
    const bool refused =
        report.refusal != Refusal::none && report.refusal != Refusal::request && report.refusal != Refusal::conflict;
    if (refused || report.end == AttemptReport::End::broken) state.failures.fetch_add(1, std::memory_order_relaxed);
    if (report.end == AttemptReport::End::abandoned) return state.breaker.forget(probe);
    const bool failed = report.end == AttemptReport::End::broken || report.refusal == Refusal::server ||
                        report.refusal == Refusal::overloaded;
    if (failed) {
        state.error_rate.add(1);
        state.breaker.failure(settings, now, probe);
        if (report.rest) state.throttle(now + std::min<std::chrono::nanoseconds>(*report.rest, settings.max_cooldown));
        return;
    }
    switch (report.refusal) {
        case Refusal::throttled:
            // It answers, and says that it had enough: no failure, and no proof of health either.
            state.breaker.forget(probe);
            if (report.rest) return state.rest(now + *report.rest);
            return state.throttle(now + kBurstRest);
        case Refusal::credential: state.breaker.forget(probe); return state.bench(now);
        default: break;
    }
    // An answer, or a refusal that is the request's own fault: the account works.
    state.answered();
    state.error_rate.add(0);
    if (report.ttft) state.ttft_us.add(static_cast<double>(report.ttft->count()));
    state.breaker.success(settings, now, probe);
}

}  // namespace oai::upstream
