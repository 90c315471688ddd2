#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "crypto/seal.hpp"
#include "http/pool.hpp"
#include "net/suspend.hpp"
#include "net/types.hpp"
#include "net/worker.hpp"
#include "store/secret_store.hpp"
#include "store/settings_store.hpp"
#include "upstream/oauth_grant.hpp"

namespace oai::upstream {

/// Where tokens are kept. All of it outlives the workers that ask for tokens.
struct TokenVault {
    store::SecretStore& secrets;
    store::SettingsStore& settings;  ///< for the leases of renewals
    const crypto::Sealer& sealer;
    net::Post post;  ///< takes work to the store's thread
};

struct OAuthTimes {
    std::chrono::nanoseconds timeout =
        std::chrono::seconds{15};  ///< of one request, and of the wait for another process
    std::chrono::nanoseconds backoff = std::chrono::seconds{1};        ///< after a failure; doubles up to
    std::chrono::nanoseconds most_backoff = std::chrono::seconds{60};  ///< also while a person must mend the account
    std::chrono::nanoseconds poll = std::chrono::milliseconds{100};    ///< while another process renews the token
};

/// Renews the token set of one account, safe against other processes and against dying half way: a lease lets one
/// process ask at a time, the others take over what it got, and what was granted is in the store, sealed, before it is
/// returned.
class TokenRenewal {
public:
    struct Renewed {
        TokenSet tokens;
        bool granted = false;  ///< now, by the provider; else another process left it in the store
    };

    TokenRenewal(const std::string& account, OAuthSettings settings, TokenVault vault, const core::Clock& clock,
                 const OAuthTimes& times);

    /// One renewal; not two at a time on one object. `refused` is an access token that the provider does not take any
    /// more, whatever the store says; empty: none. `worker` is the calling one, `pool` its own. Errors: unauthorized
    /// when a person must mend the account, else what may pass.
    static net::Awaitable<core::Result<Renewed>> run(std::shared_ptr<TokenRenewal> self, net::Worker& worker,
                                                     http::Pool& pool, std::string refused);

private:
    /// What stands in the store.
    struct Stored {
        std::optional<TokenSet> tokens;
        std::string sealed;  ///< what a new set replaces; empty: nothing is there
    };
    struct Turn {
        bool ours = false;  ///< this process holds the lease
        Stored stored;
    };
    static net::Awaitable<core::Result<TokenSet>> grant(std::shared_ptr<TokenRenewal> self, net::Worker& worker,
                                                        http::Pool& pool, Stored& stored);
    bool usable(const Stored& stored, const std::string& refused) const;

    // These block: for the store's thread.
    core::Result<Stored> read() const;
    core::Result<Turn> take_turn(const std::string& refused);
    core::Result<TokenSet> end_turn(const core::Result<TokenSet>& granted, const Stored& stored);
    core::Result<void> keep(const TokenSet& tokens, const Stored& over) const;

    const OAuthSettings settings_;
    const TokenVault vault_;
    const core::Clock& clock_;
    const OAuthTimes times_;
    const std::string secret_;  ///< its name in the store
    const std::string lease_;
    const std::string holder_;

    std::optional<TokenSet> unsaved_;  ///< granted, but the store did not take it: nobody else can get it again
    std::string rejected_;             ///< the refresh token that was refused for good, and how
    core::Error rejection_;
};

}  // namespace oai::upstream
