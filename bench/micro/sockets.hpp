#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "net/stream.hpp"
#include "net/worker.hpp"

namespace oai::bench {

/// A connection over loopback with both of its ends in one thread. The other side's calls are not counted.
class Link {
public:
    explicit Link(net::Worker& worker);
    ~Link();
    Link(const Link&) = delete;

    /// Our end; taken over by whoever wants a stream of it.
    net::Socket take_ours() { return std::move(ours_); }

    /// The other side sends; whole, since the socket's buffer holds 400 KB.
    void send(std::string_view bytes) noexcept;
    /// What has arrived at the other side.
    std::string receive();
    /// The other side drops what has arrived.
    void drain() noexcept;

private:
    net::Socket ours_;
    int theirs_;
};

}  // namespace oai::bench
