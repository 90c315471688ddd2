#pragma once

#include <memory>
#include <string>

#include "core/result.hpp"
#include "http/pool.hpp"
#include "loadgen/scenario.hpp"
#include "net/tls.hpp"

namespace oai::loadgen {

/// Where a run is sent to.
struct Target {
    http::Target place;
    std::string api_key;    ///< sent as a bearer token; empty: no Authorization. In no report, message or file
    bool embedded = false;  ///< the gateway runs in this process: marked in reports, never compared with others
};

/// `base_url` with or without a trailing "/v1", as SDKs write it. `tls`: for https; null: the system's authorities.
core::Result<Target> make_target(const std::string& base_url, std::string api_key,
                                 std::shared_ptr<const net::TlsClientContext> tls = nullptr);

/// Head and body of each request of a stream, whole: one write sends it.
std::string request_bytes(const ArrivalStream& stream, const Target& target, const std::string& user_agent);

/// `text` for a report: one line of at most 200 bytes, with the key blotted out should the other side have echoed it.
std::string presentable(std::string_view text, std::string_view api_key);

}  // namespace oai::loadgen
