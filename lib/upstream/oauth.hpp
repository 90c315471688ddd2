#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "http/pool.hpp"
#include "net/types.hpp"
#include "net/worker.hpp"
#include "upstream/oauth_renewal.hpp"

namespace oai::upstream {

/// The access token of one OAuth account, for all workers: kept in memory, and renewed a little before it expires while
/// the old one still serves, by one renewal at a time that all callers share. What the store holds counts for as long
/// as the same refresh token is configured; another one begins anew. Source: RFC 6749, section 6.
class TokenSource {
public:
    /// `account` names it in messages and in the store.
    TokenSource(std::string account, OAuthSettings settings, TokenVault vault, const core::Clock& clock,
                const OAuthTimes& times = {});
    TokenSource(const TokenSource&) = delete;

    /// A token that has not expired, as far as is known. Waits only when there is none. Called on `worker`; `pool` is
    /// one of its own and lives as long as it. Errors: unavailable, with `retry_after`; the detail names the account
    /// and the cause, for logs and for `explain`, and holds no token.
    net::Awaitable<core::Result<std::string>> access_token(net::Worker& worker, http::Pool& pool);

    /// The provider answered 401 to this token. True: ask for a token again and retry once. False: it was made just
    /// now, so that another one would be refused as well, and the account is to blame.
    bool invalidate(std::string_view token);

    /// Why the account is out until a person mends it; empty while it is not. A token in hand serves to its end all the
    /// same.
    std::optional<std::string> out_reason() const;

private:
    struct State;
    static net::Awaitable<void> renew(std::shared_ptr<State> state, net::Worker& worker, http::Pool& pool);

    std::shared_ptr<State> state_;  ///< shared with the renewal under way, which may end after this object
};

}  // namespace oai::upstream
