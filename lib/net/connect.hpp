#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/result.hpp"
#include "net/proxy.hpp"
#include "net/resolver.hpp"
#include "net/stream.hpp"
#include "net/types.hpp"
#include "net/worker.hpp"

namespace oai::net {

/// Where to, and through what.
struct Destination {
    std::string host;  ///< a name or an address, without brackets
    std::uint16_t port = 0;
    std::shared_ptr<const Proxy> proxy = {};  ///< null: straight
};

/// Opens a TCP connection: the name is resolved (see Resolver), its addresses are tried side by side (see
/// connect_first), and a proxy is asked for the rest of the way, all before `deadline`. An address is neither looked up
/// nor raced. Failure: `connect_failed`, retryable, since nothing was sent to the host; the detail names host, port,
/// proxy and the last reason.
Awaitable<core::Result<std::unique_ptr<Stream>>> connect(Worker& worker, Destination to, core::TimePoint deadline,
                                                         Resolver& resolver = Resolver::of_process());

/// The same without a proxy.
Awaitable<core::Result<std::unique_ptr<Stream>>> connect(Worker& worker, std::string host, std::uint16_t port,
                                                         core::TimePoint deadline);

}  // namespace oai::net
