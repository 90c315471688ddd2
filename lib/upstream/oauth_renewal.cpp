#include "upstream/oauth_renewal.hpp"

#include <utility>

#include "core/ids.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"
#include "http/client.hpp"
#include "store/lease.hpp"

namespace oai::upstream {

using core::Code;
using core::Error;
using core::Result;
using net::Awaitable;

namespace {

/// By the configured token too: what was granted for another one says nothing about this one, and two gateways with
/// different ones, an old and a new, do not overwrite each other.
std::string secret_name(const std::string& account, const OAuthSettings& settings) {
    return "oauth:" + account + ":" +
           crypto::sha256_hex(settings.client_id + " " + settings.refresh_token).substr(0, 16);
}

}  // namespace

TokenRenewal::TokenRenewal(const std::string& account, OAuthSettings settings, TokenVault vault,
                           const core::Clock& clock, const OAuthTimes& times)
    : settings_(std::move(settings)),
      vault_(std::move(vault)),
      clock_(clock),
      times_(times),
      secret_(secret_name(account, settings_)),
      lease_("lease:" + secret_),
      holder_(core::to_hex(crypto::random_bytes(8))) {}

bool TokenRenewal::usable(const Stored& stored, const std::string& refused) const {
    return stored.tokens && stored.tokens->access_token != refused && is_fresh(*stored.tokens, clock_.wall_now());
}

Result<TokenRenewal::Stored> TokenRenewal::read() const {
    Result<std::optional<std::string>> sealed = vault_.secrets.get(secret_);
    if (!sealed) return sealed.error();
    if (!*sealed) return Stored{};
    const Result<std::string> json = vault_.sealer.open(**sealed, secret_);
    if (!json) return json.error();
    std::optional<TokenSet> tokens = parse_token_set(*json);
    if (!tokens) return Error{.detail = secret_ + " holds what this program did not write"};
    return Stored{std::move(tokens), **std::move(sealed)};
}

/// Takes the lease, but does not keep it when there is nothing to do.
Result<TokenRenewal::Turn> TokenRenewal::take_turn(const std::string& refused) {
    // Longer than two requests and a busy store can take.
    const auto length = std::chrono::ceil<std::chrono::seconds>(2 * times_.timeout) + std::chrono::seconds{10};
    const Result<bool> ours = store::take_lease(vault_.settings, lease_, holder_, clock_.wall_now(), length);
    if (!ours) return ours.error();
    Result<Stored> stored = read();  // behind the lease: what the last holder wrote is there
    if (*ours && (!stored || usable(*stored, refused))) (void)store::release_lease(vault_.settings, lease_, holder_);
    if (!stored) return stored.error();
    return Turn{*ours, *std::move(stored)};
}

Result<void> TokenRenewal::keep(const TokenSet& tokens, const Stored& over) const {
    if (tokens == over.tokens) return {};
    const Result<bool> kept =
        vault_.secrets.replace(secret_, over.sealed, vault_.sealer.seal(to_json(tokens), secret_));
    if (!kept) return kept.error();
    if (!*kept) return Error{.detail = secret_ + " was changed by another process meanwhile"};
    return {};
}

Result<TokenSet> TokenRenewal::end_turn(const Result<TokenSet>& granted, const Stored& stored) {
    Result<TokenSet> outcome = granted;
    if (granted) {
        const Result<void> kept = keep(*granted, stored);
        unsaved_ = kept ? std::nullopt : std::optional(*granted);
        if (!kept) outcome = kept.error();
    }
    (void)store::release_lease(vault_.settings, lease_, holder_);  // if this fails, it runs out
    return outcome;
}

Awaitable<Result<TokenSet>> TokenRenewal::grant(std::shared_ptr<TokenRenewal> self, net::Worker& worker,
                                                http::Pool& pool, Stored& stored) {
    TokenRenewal& r = *self;
    if (r.unsaved_) co_return *r.unsaved_;
    for (bool again = false;; again = true) {
        const std::string token = stored.tokens ? stored.tokens->refresh_token : r.settings_.refresh_token;
        if (token == r.rejected_) co_return r.rejection_;
        http::ClientRequest request = refresh_request(r.settings_, token, r.times_.timeout);
        const core::WallTime sent_at = r.clock_.wall_now();
        Result<http::ClientResponse> response = co_await http::fetch(pool, std::move(request));
        if (!response) co_return response.error();
        Result<TokenSet> granted = read_grant(*response, token, sent_at);
        if (granted || granted.error().code != Code::unauthorized) co_return granted;

        // Refused for good, unless another process has used it since: one that was so slow that its lease ran out.
        const auto look = [self] { return self->read(); };
        Result<Stored> now = co_await net::run_elsewhere(r.vault_.post, worker, look);
        if (!now) co_return now.error();
        const bool rotated = now->tokens && now->tokens->refresh_token != token;
        if (rotated) stored = *std::move(now);
        if (rotated && r.usable(stored, "")) co_return *stored.tokens;
        if (!rotated || again) {
            r.rejected_ = token;
            r.rejection_ = granted.error();
            co_return granted;
        }
    }
}

Awaitable<Result<TokenRenewal::Renewed>> TokenRenewal::run(std::shared_ptr<TokenRenewal> self, net::Worker& worker,
                                                           http::Pool& pool, std::string refused) {
    TokenRenewal& r = *self;
    Turn turn;
    for (core::nanoseconds waited{0};; waited += r.times_.poll) {
        const auto take = [self, refused] { return self->take_turn(refused); };
        Result<Turn> taken = co_await net::run_elsewhere(r.vault_.post, worker, take);
        if (!taken) co_return taken.error();
        turn = *std::move(taken);
        if (r.usable(turn.stored, refused)) {
            r.unsaved_.reset();  // older than what the other process got
            co_return Renewed{*turn.stored.tokens, false};
        }
        if (turn.ours) break;
        if (waited >= r.times_.timeout)
            co_return Error{.detail = "another process began to renew the token and has not come to an end"};
        co_await net::pause(worker, r.times_.poll);
    }
    const Result<TokenSet> granted = co_await grant(self, worker, pool, turn.stored);
    const auto end = [self, granted, stored = turn.stored] { return self->end_turn(granted, stored); };
    Result<TokenSet> kept = co_await net::run_elsewhere(r.vault_.post, worker, end);
    if (!kept) co_return kept.error();
    co_return Renewed{*std::move(kept), true};
}

}  // namespace oai::upstream
