#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "http/client.hpp"
#include "http/url.hpp"

namespace oai::upstream {

/// What an account of type `oauth` is configured with.
struct OAuthSettings {
    http::Url token_url;
    std::string client_id;
    std::string client_secret;  ///< secret; empty: a public client
    std::string refresh_token;  ///< secret: the first one; the provider may replace it at every use
    std::string scope;          ///< empty: as granted at first

    friend bool operator==(const OAuthSettings&, const OAuthSettings&) = default;
};

/// What a provider gave. Secret, all of it.
struct TokenSet {
    std::string access_token;
    std::string refresh_token;
    core::WallTime issued_at{};
    core::WallTime expires_at{};  ///< of the access token

    friend bool operator==(const TokenSet&, const TokenSet&) = default;
};

/// How long before its end a token is renewed: a tenth of its life, at most five minutes.
core::nanoseconds renewed_ahead(const TokenSet& tokens) noexcept;
/// Whether another process's token is good enough to need no renewal: more than `renewed_ahead` is left of it.
bool is_fresh(const TokenSet& tokens, core::WallTime now) noexcept;

/// The request of RFC 6749, section 6. Target and body; the client's id and secret stand in the body.
http::ClientRequest refresh_request(const OAuthSettings& settings, std::string_view refresh_token,
                                    core::nanoseconds timeout);
/// Judges the token endpoint's answer to a request that was sent at `sent_at` with `refresh_token`. No detail holds any
/// part of the answer. Errors:
///   unauthorized        the refresh token or the client is refused (invalid_grant, invalid_client ...): a person must
///                       mend it
///   upstream_throttled, upstream_error, upstream_malformed  may pass; with `retry_after` when the endpoint says so
core::Result<TokenSet> read_grant(const http::ClientResponse& response, std::string_view refresh_token,
                                  core::WallTime sent_at);

/// As it is sealed into the store.
std::string to_json(const TokenSet& tokens);
std::optional<TokenSet> parse_token_set(std::string_view json);

}  // namespace oai::upstream
