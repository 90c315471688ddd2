#pragma once

#include <chrono>
#include <optional>

#include "core/result.hpp"
#include "gateway/exchange.hpp"
#include "http/connection.hpp"
#include "net/stream.hpp"
#include "net/types.hpp"

namespace oai::gateway {

/// One try at one account: connection, request, answer. A failure that is `retryable` left nothing of an answer with
/// the client: another account may be tried (`x.next` when one is held already).
net::Awaitable<core::Result<void>> try_account(Exchange& x, const upstream::Account& account);

/// Passes a whole answer on, after a look at it: JSON, complete, no error inside, usage.
net::Awaitable<core::Result<void>> relay_whole(Exchange& x, http::Connection& upstream, const http::ResponseHead& head);

/// Passes an answer on as it comes, in bounded memory: files, audio, whatever is not read.
net::Awaitable<core::Result<void>> relay_bytes(Exchange& x, http::Connection& upstream, const http::ResponseHead& head);

/// Passes a stream on as it arrives, whole events at a time.
net::Awaitable<core::Result<void>> relay_stream(Exchange& x, http::Connection& upstream,
                                                const http::ResponseHead& head);

/// Whether another account could still take over: attempts and accounts left, and nothing committed.
bool can_fail_over(const Exchange& x) noexcept;
/// Takes hold of the account to try next, within attempts, time and the retry budget. True: `x.next` has it, and the
/// answer at hand may be given up.
bool claim_next(Exchange& x);
/// Whether a refusal of one account says nothing about another.
bool is_worth_another(const Exchange& x, wire::Refusal refusal) noexcept;

/// Whether the client has left.
bool client_gone(const Exchange& x) noexcept;
/// While it lives, a client that leaves closes `upstream`, whose waiter then finds out.
class ClientWatch {
public:
    ClientWatch(Exchange& x, net::Stream& upstream) : turn_(x.turn) {
        if (turn_ != nullptr) {
            turn_->watch(&upstream);
        } else {
            plain_.emplace(*x.downstream.stream, upstream);
        }
    }
    ~ClientWatch() {
        if (turn_ != nullptr) turn_->watch(nullptr);
    }
    ClientWatch(const ClientWatch&) = delete;

private:
    TurnReply* turn_;
    std::optional<net::PeerWatch> plain_;
};

/// The moment `after` from now; never when it is 0.
core::TimePoint deadline_after(std::chrono::nanoseconds after, core::TimePoint now) noexcept;

/// Writes to the client what it takes now. This is all of it, nearly always; `blocked`: await `write_rest` with what is
/// left.
net::Stream::Written write_now(Exchange& x, net::Pieces& pieces) noexcept;
/// Waits for a client that reads slower than its upstream sends; nothing is read meanwhile, and that is the
/// back-pressure.
net::Awaitable<net::Stream::Written> write_rest(Exchange& x, net::Pieces pieces);
/// `cancelled` unless all was written: the client has left, or reads slower than it may.
core::Result<void> written_or_left(Exchange& x, net::Stream::Written written);

}  // namespace oai::gateway
