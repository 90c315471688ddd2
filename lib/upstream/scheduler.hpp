#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "upstream/account.hpp"
#include "upstream/retry_budget.hpp"
#include "upstream/wait_line.hpp"

namespace oai::upstream {

/// What the requests of one version share over all workers and reloads.
struct PoolState {
    WaitLine line;
    RetryBudget retries;
};

/// What a request wants of the scheduler.
struct Ask {
    std::string_view model = {};          ///< as the upstream knows it
    std::uint64_t seed = 0;               ///< of the order: the session's hash, or any number
    const AccountState* bound = nullptr;  ///< where its session is
    bool only_bound = false;              ///< what it names lives there, and nowhere else
    std::span<const AccountState* const> tried = {};
};

/// A place at an account, held for one attempt. Gives it back when it ends; an attempt that is not reported counts as
/// abandoned.
class Lease {
public:
    Lease(const Account& account, std::shared_ptr<PoolState> pool, bool probe) noexcept
        : account_(&account), pool_(std::move(pool)), probe_(probe) {}
    Lease(Lease&& other) noexcept
        : account_(std::exchange(other.account_, nullptr)),
          pool_(std::move(other.pool_)),
          probe_(std::exchange(other.probe_, false)) {}
    Lease& operator=(Lease&& other) noexcept;
    ~Lease() { release(); }

    const Account& account() const noexcept { return *account_; }
    /// How it went. Once.
    void report(const AttemptReport& report, const BreakerSettings& settings, core::TimePoint now) noexcept;

private:
    void release() noexcept;

    const Account* account_;  ///< null: moved from
    std::shared_ptr<PoolState> pool_;
    bool probe_;
};

/// Chooses accounts of a pool: by score (priority 1.0, load 1.0, queue 0.7, errors 0.8, TTFT 0.5), the best seven in a
/// weighted random order that the seed decides, then all others. Keeps its scratch memory: one per worker.
class Scheduler {
public:
    static constexpr std::size_t kTopK = 7;

    /// A place at the best account that has one. None: `why_not` says why.
    std::optional<Lease> take(std::span<const Account> accounts, const std::shared_ptr<PoolState>& pool, const Ask& ask,
                              core::TimePoint now);

    /// Whether any account could take the request now: what is still possible, without holding a place for it.
    static bool possible(std::span<const Account> accounts, const Ask& ask, core::TimePoint now) noexcept;

    /// Accounts that are only full: worth waiting for.
    static std::vector<AccountState*> full(std::span<const Account> accounts, const Ask& ask, core::TimePoint now);

    /// The error for a request that no account can take and that cannot wait.
    static core::Error why_not(std::span<const Account> accounts, const Ask& ask, core::TimePoint now);

    /// What keeps this account from taking the request.
    static Out judge(const Account& account, const Ask& ask, core::TimePoint now) noexcept;
    /// What the scheduler thinks of each account, in their order: for `explain`. NaN where it is out.
    static std::vector<double> scores(std::span<const Account> accounts, const Ask& ask, core::TimePoint now);

private:
    struct Candidate {
        const Account* account = nullptr;
        double score = 0;
    };
    std::optional<Lease> enter(const Account& account, const std::shared_ptr<PoolState>& pool, core::TimePoint now,
                               bool last_resort) const;
    std::optional<Lease> take_best(const std::shared_ptr<PoolState>& pool, std::uint64_t seed, core::TimePoint now,
                                   bool last_resort);
    static void score(std::vector<Candidate>& candidates);

    std::vector<Candidate> candidates_;
};

/// Whether a session should leave its account for this once: it fails, or others answer much sooner.
bool should_escape(const Account& bound, std::span<const Account> accounts) noexcept;

}  // namespace oai::upstream
