#pragma once

#include <memory>
#include <string>

#include "core/result.hpp"
#include "net/stream.hpp"
#include "net/types.hpp"
#include "net/worker.hpp"

namespace oai::net {

/// Opens a TCP connection to a host name or address. Tries every address of the name in the resolver's order until the
/// deadline. Failure: `connect_failed`, retryable, since nothing was sent; the detail names host, port and reason.
Awaitable<core::Result<std::unique_ptr<Stream>>> connect(Worker& worker, std::string host, std::uint16_t port,
                                                         core::TimePoint deadline);

}  // namespace oai::net
