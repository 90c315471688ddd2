#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "gateway/exchange.hpp"
#include "http/connection.hpp"
#include "net/stream.hpp"
#include "net/types.hpp"

namespace oai::gateway {

/// One try at one account: connection, request, answer. A failure that is `retryable` left nothing of an answer with
/// the client: another account may be tried (`x.next` when one is held already).
net::Awaitable<core::Result<void>> try_account(Exchange& x, const upstream::Account& account);

// The ways of it, for try_account.
/// By a request. Turns of a WebSocket too: their answers' events become messages.
net::Awaitable<core::Result<void>> try_http(Exchange& x, const upstream::Account& account);
/// A turn by a message over a WebSocket of the upstream's: one that is kept, or a fresh one. Where the upstream has
/// none it goes by `try_http`.
net::Awaitable<core::Result<void>> try_socket(Exchange& x, const upstream::Account& account);
/// The second half of them: passes on the answer whose head was read.
net::Awaitable<core::Result<void>> relay_answer(Exchange& x, std::unique_ptr<http::Connection> upstream);

/// A fresh connection to the account, within the attempt's time; a failure is logged with what the client need not
/// know.
net::Awaitable<core::Result<std::unique_ptr<http::Connection>>> open_upstream(Exchange& x,
                                                                              const upstream::Account& account);
/// A token for an OAuth account, and the header line that shows it.
net::Awaitable<core::Result<std::string>> access_token(Exchange& x, const upstream::Account& account);
std::string bearer_line(std::string_view token);
core::Error client_left();
/// Until when a stream's upstream may be silent before its first output.
core::TimePoint first_output_deadline(const Exchange& x) noexcept;

/// Passes a whole answer on, after a look at it: JSON, complete, no error inside, usage.
net::Awaitable<core::Result<void>> relay_whole(Exchange& x, http::Connection& upstream, const http::ResponseHead& head);

/// Passes an answer on as it comes, in bounded memory: files, audio, whatever is not read.
net::Awaitable<core::Result<void>> relay_bytes(Exchange& x, http::Connection& upstream, const http::ResponseHead& head);

/// Passes a stream on as it arrives, whole events at a time.
net::Awaitable<core::Result<void>> relay_stream(Exchange& x, http::Connection& upstream,
                                                const http::ResponseHead& head);

/// Where an upstream's events come from: the body of an answer, or the messages of a WebSocket.
class EventSource {
public:
    virtual ~EventSource() = default;
    /// Bytes of server-sent events, good until the next call. Empty at the end, or when `woken`.
    virtual net::Awaitable<core::Result<std::string_view>> next() = 0;
    /// The last piece was empty because the stream's wake time came.
    virtual bool woken() const noexcept = 0;
    /// Nothing but its terminal event ends the stream: there is no end to be waited for behind it.
    virtual bool outlives_stream() const noexcept = 0;
    /// What the upstream answered, as a status: 200 unless it said otherwise.
    virtual int status() const noexcept = 0;
};
/// Passes events on as they arrive. `upstream`: what they are read from; `coding`: their content-encoding, or empty.
net::Awaitable<core::Result<void>> relay_events(Exchange& x, http::Connection& upstream, EventSource& source,
                                                std::string_view coding);

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

/// Writes to the client. One that reads slower than its upstream sends is waited for; nothing is read meanwhile, and
/// that is the back-pressure.
net::Stream::Write write_to_client(Exchange& x, const net::Pieces& pieces) noexcept;
/// `cancelled` unless all was written: the client has left, or reads slower than it may.
core::Result<void> written_or_left(Exchange& x, bool written);

}  // namespace oai::gateway
