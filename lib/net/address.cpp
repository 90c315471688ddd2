#include "net/address.hpp"

#include <boost/asio/ip/address.hpp>

#include "core/units.hpp"

namespace oai::net {

bool ListenAddress::is_loopback() const {
    boost::system::error_code failed;
    const auto address = boost::asio::ip::make_address(host, failed);
    return !failed && address.is_loopback();
}

std::string ListenAddress::text() const {
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

core::Result<ListenAddress> parse_listen_address(std::string_view text) {
    const auto bad = [&](std::string_view why) {
        return core::Error{.code = core::Code::invalid_argument,
                           .detail = "a listen address must be like 127.0.0.1:5231 or [::1]:5231, got \"" +
                                     std::string(text) + "\" (" + std::string(why) + ")"};
    };
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return bad("no port");
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') != host.ends_with(']')) return bad("unbalanced brackets");
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    if (host.empty()) host = "0.0.0.0";
    if (host == "localhost") host = "127.0.0.1";
    boost::system::error_code failed;
    boost::asio::ip::make_address(host, failed);
    if (failed) return bad("the host is not an IP address");
    const core::Result<std::uint64_t> port = core::parse_unsigned(text.substr(colon + 1));
    if (!port || *port > 65535) return bad("the port is not a number from 0 to 65535");
    return ListenAddress{std::string(host), static_cast<std::uint16_t>(*port)};
}

}  // namespace oai::net
