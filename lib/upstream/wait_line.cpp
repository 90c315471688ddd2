#include "upstream/wait_line.hpp"

#include <algorithm>

#include "net/alarm.hpp"

namespace oai::upstream {

using core::Code;
using core::Error;
using core::Result;

namespace {

/// How often a waiting request looks whether its client is still there and its worker still runs.
constexpr std::chrono::milliseconds kLookPeriod{250};

Error refuse(std::string detail) {
    return Error{.code = Code::rate_limited,
                 .source = core::Source::internal,
                 .detail = std::move(detail),
                 .retry_after = std::chrono::seconds{1}};
}

/// While it lives, the accounts count one more request that waits for them: the scheduler's queue factor.
class Counted {
public:
    explicit Counted(const std::vector<AccountState*>& accounts) : accounts_(accounts) {
        for (AccountState* account : accounts_) account->waiting.fetch_add(1, std::memory_order_relaxed);
    }
    ~Counted() {
        for (AccountState* account : accounts_) account->waiting.fetch_sub(1, std::memory_order_relaxed);
    }
    Counted(const Counted&) = delete;

private:
    const std::vector<AccountState*>& accounts_;
};

}  // namespace

struct WaitLine::Waiter {
    Waiter(net::Worker& on, std::vector<AccountState*> wanted) : alarm(on), accounts(std::move(wanted)) {}

    net::Alarm alarm;
    std::vector<AccountState*> accounts;
    AccountState* granted = nullptr;  ///< under the line's mutex
};

net::Awaitable<Result<AccountState*>> WaitLine::wait(net::Worker& worker, std::vector<AccountState*> accounts,
                                                     core::TimePoint deadline, std::function<AccountState*()> try_now,
                                                     std::function<bool()> gone) {
    const auto waiter = std::make_shared<Waiter>(worker, std::move(accounts));
    {
        const std::lock_guard lock(mutex_);
        if (line_.size() >= most_)
            co_return refuse("every account is busy and " + std::to_string(most_) + " requests wait already");
        line_.push_back(waiter);
        waiting_.store(line_.size(), std::memory_order_release);
    }
    const Counted counted(waiter->accounts);
    AccountState* taken = try_now();
    bool left = taken != nullptr, cancelled = false;
    for (;;) {
        if (!left) {
            const core::TimePoint now = std::chrono::steady_clock::now();
            cancelled = worker.stopping() || gone();
            left = cancelled || now >= deadline;
        }
        {
            const std::lock_guard lock(mutex_);
            if (waiter->granted != nullptr || left) {
                line_.remove(waiter);
                waiting_.store(line_.size(), std::memory_order_release);
                break;
            }
        }
        const core::TimePoint look = std::min(deadline, std::chrono::steady_clock::now() + kLookPeriod);
        co_await waiter->alarm.wait_until(look);
    }
    if (waiter->granted != nullptr && taken != nullptr) give_back(*taken);  // both at once: one place is enough
    if (waiter->granted != nullptr && cancelled) give_back(*waiter->granted);
    if (waiter->granted != nullptr && !cancelled) co_return waiter->granted;
    if (taken != nullptr) co_return taken;
    if (cancelled)
        co_return Error{.code = Code::cancelled, .source = core::Source::downstream, .detail = "the client left"};
    co_return refuse("every account stayed busy");
}

void WaitLine::give_back(AccountState& account) {
    if (!hand_over(account)) account.leave();
}

bool WaitLine::hand_over(AccountState& account) {
    if (waiting_.load(std::memory_order_acquire) == 0) return false;
    std::shared_ptr<Waiter> next;
    {
        const std::lock_guard lock(mutex_);
        for (const std::shared_ptr<Waiter>& waiter : line_) {
            if (waiter->granted != nullptr || std::ranges::find(waiter->accounts, &account) == waiter->accounts.end())
                continue;
            waiter->granted = &account;
            next = waiter;
            break;
        }
    }
    if (!next) return false;
    next->alarm.ring();
    return true;
}

}  // namespace oai::upstream
