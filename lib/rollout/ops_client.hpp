#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "http/client.hpp"
#include "http/url.hpp"
#include "json/value.hpp"
#include "net/tls.hpp"

namespace oai::rollout {

/// A server with the ops API `/api/v1/admin/ops`: a gateway of ours or an ancestor.
struct OpsServer {
    http::Url url;
    std::shared_ptr<const net::TlsClientContext> tls = {};  ///< for https; null: the system's authorities
    std::string token = {};                                 ///< sent as `Authorization: Bearer`; empty: none
    std::chrono::nanoseconds timeout = std::chrono::seconds{15};
};

/// `data` of the answer to GET {url}/api/v1/admin/ops{target}. Blocks. Anything else than a whole JSON answer with
/// status 200 and code 0 is an error of one line: which URL, what came, what to do. A 404 is Code::not_found.
core::Result<json::Value> get_ops(const OpsServer& server, std::string_view target);

/// What get_ops makes of an answer. Apart for tests.
core::Result<json::Value> read_envelope(const http::ClientResponse& response);

/// The beginning of foreign text on one line, for an error message.
std::string excerpt(std::string_view text, std::size_t most = 160);

}  // namespace oai::rollout
