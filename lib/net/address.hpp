#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace oai::net {

/// Where a server listens: "127.0.0.1:5231", "[::1]:0", ":8080" (all interfaces). Port 0 = the system chooses.
struct ListenAddress {
    std::string host;
    std::uint16_t port = 0;

    bool is_loopback() const;
    std::string text() const;
};

core::Result<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace oai::net
