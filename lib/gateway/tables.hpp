#pragma once

#include <memory>

#include "gateway/client_keys.hpp"
#include "gateway/config.hpp"
#include "gateway/first_keys.hpp"
#include "upstream/catalog.hpp"

namespace oai::gateway {

/// What a request decides by: immutable, replaced as a whole, one per request.
struct Tables {
    Credentials credentials;
    bool auth_required = true;
    upstream::Catalog catalog;
    Timeouts timeouts;
    FailoverSettings failover;
    upstream::BreakerSettings breaker;
    StreamSettings stream;
    std::chrono::nanoseconds queue_timeout{};
    std::shared_ptr<const net::TlsServerContext> tls;  ///< of connections accepted from now on; null: plain HTTP
    std::size_t max_json_bytes = 0;
    std::uint64_t max_body_bytes = 0;
    bool has_choice = false;  ///< more than one account: resources are remembered
    std::vector<std::string> drop_headers;
    bool passthrough_unknown = false;
    bool expose_routing = true;
};

}  // namespace oai::gateway
