#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "net/stream.hpp"
#include "net/types.hpp"

namespace oai::gateway {

/// The client's side of a turn. What would be events of a stream become messages, one each.
class TurnReply {
public:
    explicit TurnReply(std::uint64_t id) noexcept : conversation(id) {}
    virtual ~TurnReply() = default;

    const std::uint64_t conversation;  ///< what its upstream's sockets are kept under; not 0
    /// The account that has a socket kept for this conversation alone, since it remembers responses that are stored
    /// nowhere else; empty: none.
    std::string pinned_to;

    /// Whole server-sent events; comments become a ping.
    virtual net::Awaitable<core::Result<void>> write(std::string_view events) = 0;
    /// `{"type":"error","status":…,"error":…}`; `error_json` is one JSON value.
    virtual net::Awaitable<core::Result<void>> write_error(int status, std::string_view error_json) = 0;
    /// Closed when the client leaves, so that whoever waits for it finds out. Null: nothing any more.
    virtual void watch(net::Stream* dependent) noexcept = 0;
    virtual bool client_gone() const noexcept = 0;
};

}  // namespace oai::gateway
