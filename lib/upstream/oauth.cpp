#include "upstream/oauth.hpp"

#include <algorithm>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "core/ids.hpp"
#include "core/log.hpp"

namespace oai::upstream {

using core::Code;
using core::Error;
using core::Result;
using net::Awaitable;

namespace {

/// A token that is refused at this age is not refused because of its age.
constexpr std::chrono::seconds kYoung{30};

}  // namespace

struct TokenSource::State {
    State(std::string name, OAuthSettings settings, TokenVault vault, const core::Clock& time, const OAuthTimes& limits)
        : account(std::move(name)),
          clock(time),
          times(limits),
          renewal(std::make_shared<TokenRenewal>(account, std::move(settings), std::move(vault), time, limits)) {}

    const std::string account;
    const core::Clock& clock;
    const OAuthTimes times;
    const std::shared_ptr<TokenRenewal> renewal;

    std::mutex mutex;  ///< for all that follows
    std::string token;
    core::TimePoint renew_at{};
    core::TimePoint expires_at{};
    core::TimePoint young_until{};
    std::string refused;  ///< the last token that the provider did not take
    bool renewing = false;
    std::vector<std::function<void()>> waiting;  ///< each resumes a session
    int failures = 0;                            ///< in a row
    Error failure;                               ///< the last one
    core::TimePoint next_try{};
    std::optional<std::string> out;
    core::IdSource random;

    // With the mutex held:
    bool serves(core::TimePoint now) const { return !token.empty() && now < expires_at; }
    void adopt(const TokenRenewal::Renewed& renewed);
    void fail(Error error);
    Error why_none(core::TimePoint now) const;
    core::nanoseconds jittered(core::nanoseconds most);

    // Without:
    void land(Result<TokenRenewal::Renewed> outcome);
};

/// Between a half and all of it, so that accounts and processes do not act in step.
core::nanoseconds TokenSource::State::jittered(core::nanoseconds most) {
    constexpr std::int64_t kSteps = 1024;
    return most / 2 + most / 2 / kSteps * static_cast<std::int64_t>(random.next() % (kSteps + 1));
}

void TokenSource::State::adopt(const TokenRenewal::Renewed& renewed) {
    const core::TimePoint now = clock.now();
    // From here on the steady clock counts: a step of the wall clock moves nothing.
    token = renewed.tokens.access_token;
    expires_at = now + (renewed.tokens.expires_at - clock.wall_now());
    // Never earlier than `is_fresh` says: a renewal would find this very token good enough.
    renew_at = expires_at - jittered(renewed_ahead(renewed.tokens));
    young_until = renewed.granted ? now + kYoung : now;
    if (failures > 0) core::log(core::LogLevel::info, "the OAuth token is renewed again", {{"account", account}});
    failures = 0;
    out.reset();
}

void TokenSource::State::fail(Error error) {
    const bool for_good = error.code == Code::unauthorized;
    if (failures == 0 || for_good != out.has_value())
        core::log(core::LogLevel::warn, "the OAuth token cannot be renewed",
                  {{"account", account}, {"why", error.detail}});
    out = for_good ? std::optional(error.detail) : std::nullopt;
    const core::nanoseconds doubled = times.backoff * (std::int64_t{1} << std::min(failures, 16));
    const core::nanoseconds wait = jittered(for_good ? times.most_backoff : std::min(doubled, times.most_backoff));
    next_try = clock.now() + std::max<core::nanoseconds>(wait, error.retry_after.value_or(std::chrono::seconds{0}));
    ++failures;
    failure = std::move(error);
}

Error TokenSource::State::why_none(core::TimePoint now) const {
    return Error{.code = Code::unavailable,
                 .source = failure.source,
                 .detail = "account " + account + " has no token: " + failure.detail,
                 .retry_after = std::chrono::ceil<std::chrono::seconds>(next_try - now)};
}

void TokenSource::State::land(Result<TokenRenewal::Renewed> outcome) {
    std::vector<std::function<void()>> resumed;
    {
        const std::lock_guard lock(mutex);
        if (outcome) {
            adopt(*outcome);
        } else {
            fail(std::move(outcome.error()));
        }
        renewing = false;
        resumed.swap(waiting);
    }
    for (const auto& resume : resumed) resume();
}

TokenSource::TokenSource(std::string account, OAuthSettings settings, TokenVault vault, const core::Clock& clock,
                         const OAuthTimes& times)
    : state_(std::make_shared<State>(std::move(account), std::move(settings), std::move(vault), clock, times)) {}

Awaitable<void> TokenSource::renew(std::shared_ptr<State> state, net::Worker& worker, http::Pool& pool) {
    std::string refused;
    {
        const std::lock_guard lock(state->mutex);
        refused = state->refused;
    }
    try {
        Result<TokenRenewal::Renewed> outcome = co_await TokenRenewal::run(state->renewal, worker, pool, refused);
        state->land(std::move(outcome));
    } catch (...) {
        state->land(Error{.detail = "an unexpected failure; see the log"});  // nobody waits for ever
        throw;
    }
}

Awaitable<Result<std::string>> TokenSource::access_token(net::Worker& worker, http::Pool& pool) {
    const std::shared_ptr<State> state = state_;
    for (;;) {
        bool start = false;
        std::string token;
        {
            const std::lock_guard lock(state->mutex);
            const core::TimePoint now = state->clock.now();
            if (state->serves(now)) token = state->token;
            start = (token.empty() || now >= state->renew_at) && !state->renewing && now >= state->next_try;
            if (start) state->renewing = true;
            if (token.empty() && !state->renewing) co_return state->why_none(now);
        }
        // A session of its own: this one may have a token to go on with, and end first.
        if (start) worker.spawn(renew(state, worker, pool));
        if (!token.empty()) co_return token;
        const std::function<void(std::function<void()>)> join = [&state](std::function<void()> resume) {
            {
                const std::lock_guard lock(state->mutex);
                if (state->renewing) {
                    state->waiting.push_back(std::move(resume));
                    return;
                }
            }
            resume();  // it has ended meanwhile
        };
        co_await net::suspend(worker, join);
    }
}

bool TokenSource::invalidate(std::string_view token) {
    const std::lock_guard lock(state_->mutex);
    if (token != state_->token) return true;  // another request was faster
    const core::TimePoint now = state_->clock.now();
    if (now < state_->young_until) return false;
    state_->refused = state_->token;
    state_->token.clear();
    return true;
}

std::optional<std::string> TokenSource::out_reason() const {
    const std::lock_guard lock(state_->mutex);
    return state_->out;
}

}  // namespace oai::upstream
