#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "http/websocket_connection.hpp"
#include "net/alarm.hpp"
#include "net/types.hpp"
#include "net/worker.hpp"
#include "upstream/account.hpp"

namespace oai::upstream {

/// A WebSocket to an account, past its handshake.
struct UpstreamSocket {
    UpstreamSocket(const Account& to, std::string greeting_text, std::unique_ptr<http::Connection> opened,
                   const std::optional<http::Deflate>& deflate);

    std::unique_ptr<http::Connection> connection;
    http::WebSocket socket;
    const std::string account;       ///< its origin and name
    const std::string greeting;      ///< what its handshake said, the credential included: never logged
    std::uint64_t conversation = 0;  ///< it remembers what only this one may ask for; 0: it is for everybody
    bool reused = false;             ///< from the pool: the other side may have closed it meanwhile
    core::TimePoint opened_at;
    core::TimePoint rested_since;
};

/// Kept WebSockets of one worker to its upstreams. `take` and `give` never wait and never clean: what is too old is
/// closed, and what rests is asked now and then whether it lives, by a session of its own that runs while there is
/// something to look after.
class WebSocketPool {
public:
    struct Limits {
        std::size_t idle_per_account = 12;  ///< of those that are for everybody
        std::chrono::nanoseconds max_age = std::chrono::minutes{60};
        std::chrono::nanoseconds ping_every = std::chrono::seconds{30};
        std::chrono::nanoseconds pong_time = std::chrono::seconds{2};
        std::chrono::nanoseconds bridge_time = std::chrono::seconds{30};  ///< without another try of an upgrade
    };

    explicit WebSocketPool(net::Worker& worker) : WebSocketPool(worker, Limits{}) {}
    WebSocketPool(net::Worker& worker, Limits limits);

    /// The one that is kept for this conversation, whatever its handshake said; or null.
    std::unique_ptr<UpstreamSocket> take_pinned(const Account& account, std::uint64_t conversation);
    /// One whose handshake said just that: no client speaks under the headers of another. Or null.
    std::unique_ptr<UpstreamSocket> take(const Account& account, std::string_view greeting);
    /// Keeps a connection over which nothing is due; closes it instead when it is of no use or there are enough.
    void give(std::unique_ptr<UpstreamSocket> socket);

    /// Returns when none of this conversation's is being asked whether it lives: at once, nearly always.
    net::Awaitable<void> until_checked(std::uint64_t conversation);
    /// Closes what is kept for this conversation.
    net::Awaitable<void> end(std::uint64_t conversation);

    /// Closes everything; nothing is kept from here on.
    void close();
    std::size_t resting() const noexcept { return resting_.size(); }

    /// The account refused an upgrade: it goes without for a while. True when it did so for the first time.
    bool bridge(const Account& account, core::TimePoint now);
    bool is_bridged(const Account& account, core::TimePoint now) const;

private:
    using Sockets = std::vector<std::unique_ptr<UpstreamSocket>>;

    std::unique_ptr<UpstreamSocket> extract(Sockets::iterator at);
    net::Awaitable<void> tend();
    net::Awaitable<void> check(std::unique_ptr<UpstreamSocket> socket);

    net::Worker& worker_;
    const Limits limits_;
    Sockets resting_;  ///< in the order in which they came
    bool closed_ = false;
    bool tending_ = false;
    net::Alarm due_;
    std::uint64_t checking_ = 0;  ///< the conversation whose socket is being asked
    net::Alarm checked_;
    std::map<std::string, core::TimePoint, std::less<>> bridged_;  ///< until when
};

}  // namespace oai::upstream
