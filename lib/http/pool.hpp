#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/result.hpp"
#include "http/connection.hpp"
#include "http/url.hpp"
#include "net/proxy.hpp"
#include "net/tls.hpp"
#include "net/worker.hpp"

namespace oai::http {

/// A place to send requests to, with what each request needs of it worked out once.
struct Target {
    Target() = default;
    /// `secured` counts for https only; null: the system's authorities. `through`: null goes straight.
    explicit Target(Url where, std::shared_ptr<const net::TlsClientContext> secured = nullptr,
                    std::shared_ptr<const net::Proxy> through = nullptr);

    Url url;
    std::shared_ptr<const net::TlsClientContext> tls;  ///< null for http
    std::shared_ptr<const net::Proxy> proxy;           ///< null: straight
    std::string authority;                             ///< for the Host field
    std::string origin;  ///< the pool's key: "http://127.0.0.1:9180", and the TLS settings and proxy if there are any
};

/// The kept connections to one origin.
struct PoolShelf {
    std::vector<std::unique_ptr<Connection>> idle;
};

/// Kept connections of one worker to its upstreams, by origin (scheme, host, port, TLS settings and proxy). The last
/// one used comes first: it is the one least likely to have been closed, and the others can age out.
class Pool {
public:
    struct Limits {
        std::size_t idle_per_origin = 256;
        /// Shorter than the keep-alive time of common servers, so that we close first.
        std::chrono::seconds idle_time{30};
    };

    explicit Pool(net::Worker& worker, Limits limits) : worker_(worker), limits_(limits) {}
    explicit Pool(net::Worker& worker) : Pool(worker, Limits{}) {}

    /// A kept connection to the origin, or null. Never waits.
    std::unique_ptr<Connection> take(const Target& target, core::TimePoint now);
    /// A fresh connection, past its TLS handshake. Failures: connect_failed or tls_failed, retryable, since nothing of
    /// a request was sent; the detail names host, port and reason.
    net::Awaitable<core::Result<std::unique_ptr<Connection>>> open(const Target& target, core::TimePoint deadline);
    /// Keeps a connection that stands between two messages; closes it instead when there are enough, or when a deadline
    /// has passed on it.
    void give(std::unique_ptr<Connection> connection);
    /// Closes what has rested too long. Called by itself every few hundred `give`s; nothing is cleaned inside `take`.
    void clean();
    void clear() noexcept;

private:
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    net::Worker& worker_;
    Limits limits_;
    std::unordered_map<std::string, PoolShelf, Hash, std::equal_to<>>
        shelves_;  ///< none is taken away: connections know theirs
    unsigned gives_ = 0;
};

}  // namespace oai::http
