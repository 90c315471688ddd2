#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "http/pool.hpp"
#include "upstream/breaker.hpp"
#include "upstream/ewma.hpp"
#include "upstream/oauth.hpp"
#include "wire/endpoints.hpp"
#include "wire/failure.hpp"

namespace oai::upstream {

/// Why an account cannot take a request now.
enum class Out : std::uint8_t {
    none,        ///< it can
    disabled,    ///< switched off by a person
    model,       ///< its list of models does not have it
    elsewhere,   ///< what the request names lives at another account
    tried,       ///< this request has been there
    resting,     ///< its provider said when to come back
    throttled,   ///< a 429 that does not say how long, or a 503 that does
    credential,  ///< its provider refused the credential
    breaker,     ///< it fails too often
    full,        ///< as many requests in flight as it may have
};
std::string_view name_of(Out out) noexcept;
/// Our own conclusions, which may be wrong: they keep traffic away while another account can take it, and no longer. A
/// pool is never closed by them.
constexpr bool is_conclusion(Out out) noexcept {
    return out == Out::throttled || out == Out::credential || out == Out::breaker;
}

/// What is known of an account's health. One for all workers, kept over reloads: atomics only, apart from the breaker's
/// changes of state.
class AccountState {
public:
    /// Takes one of `concurrency` places (0 = no limit).
    bool enter(std::int64_t concurrency) noexcept;
    void leave() noexcept { in_flight_.fetch_sub(1, std::memory_order_acq_rel); }
    std::int64_t in_flight_approx() const noexcept { return in_flight_.load(std::memory_order_relaxed); }

    /// Nothing goes here until then: its provider said so, with a 429.
    void rest(core::TimePoint until) noexcept;
    /// Better elsewhere until then.
    void throttle(core::TimePoint until) noexcept;
    /// A refused credential: each in a row doubles the time.
    void bench(core::TimePoint now) noexcept;
    /// It answered: refusals begin anew.
    void answered() noexcept { refusals_in_a_row_.store(0, std::memory_order_relaxed); }

    /// What of all this keeps traffic away now, and until when.
    struct Rest {
        Out why = Out::none;
        core::TimePoint until{};
    };
    Rest resting(core::TimePoint now) const noexcept;

    Breaker breaker;
    Ewma error_rate;  ///< 0 to 1
    Ewma ttft_us;
    std::atomic<std::uint64_t> attempts{0};  ///< since the start, as AttemptReport tells them
    std::atomic<std::uint64_t> failures{0};  ///< of these: broken, or refused for a reason that is not the request's
    std::atomic<std::int64_t> waiting{0};    ///< requests in the line that this account could take

private:
    std::atomic<std::int64_t> in_flight_{0};
    // Times of the steady clock in ns.
    std::atomic<std::int64_t> rest_until_{0};
    std::atomic<std::int64_t> throttled_until_{0};
    std::atomic<std::int64_t> benched_until_{0};
    std::atomic<std::uint32_t> refusals_in_a_row_{0};
};

enum class AccountType : std::uint8_t { openai, compatible, azure, anthropic, oauth };

/// One credential at one provider.
struct Account {
    std::string name;
    AccountType type = AccountType::openai;
    http::Target target = {};
    std::string credential = {};  ///< header lines, ready to send: never logged
    std::int64_t weight = 1;
    std::int64_t priority = 50;            ///< lower goes first
    std::int64_t concurrency = 0;          ///< 0 = no limit
    std::vector<std::string> models = {};  ///< exact names or patterns that end in '*'; empty = all
    std::map<std::string, std::string, std::less<>> deployments = {};  ///< Azure: model -> deployment
    std::string api_version = {};  ///< Azure; empty: the /openai/v1 paths, which need none
    bool active = true;
    bool websocket = false;  ///< turns of Responses over WebSocket go to it over WebSockets
    std::optional<OAuthSettings> oauth = {};
    std::shared_ptr<TokenSource> tokens = {};                                ///< of an OAuth account: made by Registry
    std::shared_ptr<AccountState> state = std::make_shared<AccountState>();  ///< of this name: see Registry

    bool serves(std::string_view model) const noexcept;
    /// What keeps it from taking a request for that model now, apart from its being full.
    Out out(std::string_view model, core::TimePoint now) const noexcept;
};

/// How one attempt at an account ended.
struct AttemptReport {
    enum class End : std::uint8_t {
        answered,   ///< with whatever `refusal` says
        broken,     ///< no connection, cut, garbled, late
        abandoned,  ///< the client left: says nothing about the account
    };
    End end = End::answered;
    wire::Refusal refusal = wire::Refusal::none;
    std::optional<std::chrono::milliseconds> rest = {};  ///< asked for by the provider
    std::optional<std::chrono::microseconds> ttft = {};
};

/// Draws the conclusions of an attempt: the one place where an account's health changes.
void conclude(AccountState& state, const AttemptReport& report, const BreakerSettings& settings, core::TimePoint now,
              bool probe) noexcept;

/// `gpt-*` or an exact name.
bool matches_pattern(std::string_view pattern, std::string_view name) noexcept;

}  // namespace oai::upstream
