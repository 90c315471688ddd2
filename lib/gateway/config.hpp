#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/document.hpp"
#include "core/result.hpp"
#include "net/address.hpp"
#include "net/tls.hpp"
#include "upstream/catalog.hpp"

namespace oai::gateway {

/// Accounts that one request may be tried at, at most.
inline constexpr unsigned kMostAttempts = 5;

/// Each a limit of its own; 0 = none, and then nothing watches for it.
struct Timeouts {
    std::chrono::nanoseconds connect = std::chrono::seconds{2};
    std::chrono::nanoseconds first_output =
        std::chrono::seconds{60};  ///< streams: status line, headers, `created` are not output
    std::chrono::nanoseconds idle =
        std::chrono::seconds{60};  ///< between two reads once output has begun; and for a slow reader
    std::chrono::nanoseconds total = std::chrono::seconds{600};
    std::chrono::nanoseconds request_head = std::chrono::seconds{15};  ///< of a new connection, its TLS handshake too
    std::chrono::nanoseconds request_body = std::chrono::seconds{60};
    std::chrono::nanoseconds keep_alive = std::chrono::seconds{75};  ///< from an answer to the end of the next head
};

/// When another account is tried, and how often.
struct FailoverSettings {
    unsigned max_attempts = 3;  ///< accounts tried for one request, the first included; at most kMostAttempts
    std::chrono::nanoseconds backoff = std::chrono::milliseconds{50};  ///< before the second retry; doubles, jittered
    std::int64_t retry_budget_bp = 2000;  ///< retries as a share of requests, against storms
    bool conflicts = false;               ///< 408 and 409 too
};

struct StreamSettings {
    std::chrono::nanoseconds keepalive = std::chrono::seconds{10};  ///< between comments while the upstream thinks
    bool drain_when_gone = false;  ///< the client left: read the upstream to its end, for its usage, or cancel it
    bool hold_preamble = true;     ///< events before the first output wait while another account could still take over
};

/// What GET /v1/models lists besides the names of the routes.
struct ModelSettings {
    bool upstream = true;  ///< what the accounts' providers list, as far as a request can name it
    std::chrono::nanoseconds ttl = std::chrono::minutes{10};  ///< then it is asked for again, beside the traffic
};

/// A client key from the file or the environment: accepted besides those in the store.
struct ConfiguredKey {
    std::string name;
    std::string value;  ///< secret
    std::string group;
};

/// What a reload may change while everything runs.
struct Rules {
    std::shared_ptr<const net::TlsServerContext> tls;  ///< of connections accepted from now on; null: plain HTTP
    bool auth_required = true;                         ///< false only in tests and benchmarks
    std::size_t max_json_bytes = std::size_t{32} << 20;
    std::uint64_t max_body_bytes = std::uint64_t{512} << 20;  ///< of bodies that are streamed through
    bool expose_routing = true;             ///< x-oaigw-version, -attempts and -overhead-us in answers
    std::vector<std::string> drop_headers;  ///< of clients' requests: not passed on
    bool passthrough_unknown = false;       ///< /v1 paths that the endpoint table does not have
    Timeouts timeouts;
    FailoverSettings failover;
    upstream::BreakerSettings breaker;
    StreamSettings stream;
    ModelSettings models;
    bool merge_lists = true;  ///< of resources: over the provider's accounts, or of one
    std::chrono::nanoseconds queue_timeout = std::chrono::seconds{30};  ///< for a place at a full account
    upstream::Catalog catalog;
};

struct Config : Rules {
    net::ListenAddress listen{"127.0.0.1", 5231};
    unsigned workers = 0;              ///< 0 = cores
    unsigned max_connections = 10000;  ///< of clients: what the limit of descriptors is measured against
    std::string store_url = "sqlite:data/oaigw.db";
    std::string data_dir = "data";  ///< where keys of our own are kept: next to the database
    std::string encryption_key;     ///< 64 hex digits; empty: `data_dir`/encryption.key
    std::string admin_key;          ///< secret; empty: made at the first start
    std::vector<ConfiguredKey> keys;
};

/// Reads a configuration file. Every mistake in it is in the error, a line each. `environment` also gives
/// OAIGW_ENCRYPTION_KEY, OAIGW_ADMIN_KEY and OAIGW_CLIENT_KEY.
core::Result<Config> load_config(const std::string& path, const config::Environment& environment);
/// Without a file: embedded defaults, the upstream from OPENAI_BASE_URL and OPENAI_API_KEY.
core::Result<Config> default_config(const config::Environment& environment);

/// The directory of the database, where our own keys are kept beside it; ./data for a store without one.
std::string data_dir_of(std::string_view store_url);

/// What `oaigw init` writes: the least and the usual, commented, ready to start.
std::string_view sample_config() noexcept;

}  // namespace oai::gateway
