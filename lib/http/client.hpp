#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "http/pool.hpp"
#include "http/url.hpp"
#include "net/types.hpp"
#include "net/worker.hpp"

namespace oai::http {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// One request of a command or a background task. The request path of the gateway and of the load generator does not
/// use this.
struct ClientRequest {
    std::string method = "GET";
    Url url;                                                ///< scheme, host, port and base path
    std::string target;                                     ///< path and query behind the base path, beginning with '/'
    std::shared_ptr<const net::TlsClientContext> tls = {};  ///< for https; null: the system's authorities
    std::shared_ptr<const net::Proxy> proxy = {};           ///< null: straight
    HeaderList headers;                                     ///< besides host, content-length and connection
    std::string body;
    std::chrono::nanoseconds timeout = std::chrono::seconds{15};  ///< for all of it
    std::size_t max_response_bytes = std::size_t{64} << 20;
};

struct ClientResponse {
    int status = 0;
    HeaderList headers;
    std::string body;

    /// Value of the first header of that name, case-insensitive, or empty.
    std::string_view header(std::string_view name) const noexcept;
};

/// Sends and reads the whole answer. Any HTTP status is an answer, not an error. Errors name the URL.
net::Awaitable<core::Result<ClientResponse>> fetch(Pool& pool, ClientRequest request);

/// A request whose head its sender wrote by itself, down to the empty line at its end.
struct WrittenRequest {
    std::string method;
    std::string head;
    std::string body = {};
    std::chrono::nanoseconds timeout = std::chrono::seconds{15};  ///< for all of it
    std::size_t max_response_bytes = std::size_t{64} << 20;
};
/// The same for such a request. Errors do not name the URL.
net::Awaitable<core::Result<ClientResponse>> fetch_written(Pool& pool, const Target& target,
                                                           const WrittenRequest& request);

/// The same for a program that has nothing else to do meanwhile.
core::Result<ClientResponse> fetch_blocking(const ClientRequest& request);

}  // namespace oai::http
