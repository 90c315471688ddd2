#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "http/head.hpp"
#include "http/websocket_deflate.hpp"

namespace oai::http {

/// Why a request cannot become a WebSocket.
struct UpgradeRefusal {
    int status = 400;  ///< or 426: then the answer needs kUpgradeRequiredFields
    std::string_view detail;
};
inline constexpr std::string_view kUpgradeRequiredFields =
    "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n";

/// What is wrong with a request for a WebSocket (RFC 6455, 4.2.1); none when it is one. A request that does not ask for
/// one at all gets 426.
std::optional<UpgradeRefusal> refuse_websocket(const RequestHead& request) noexcept;

/// Sec-WebSocket-Accept for a Sec-WebSocket-Key.
std::string websocket_accept(std::string_view key);

/// Appends the whole 101 head. `key`: the request's Sec-WebSocket-Key. `extensions`: AcceptedDeflate::answer, or empty.
/// `more_fields`: whole lines, such as our request id, or a Sec-WebSocket-Protocol that the client offered.
void write_websocket_answer(std::string& out, std::string_view key, std::string_view extensions,
                            std::string_view more_fields = {});

/// A client's side of the handshake.
struct WebSocketRequest {
    std::string_view authority;           ///< for the Host field
    std::string_view target;              ///< path and query
    std::string_view protocols = {};      ///< Sec-WebSocket-Protocol: a list of those we speak, or empty
    std::string_view more_fields = {};    ///< whole lines, each with its CRLF: credentials and the like
    std::optional<Deflate> deflate = {};  ///< to be offered
};
/// 16 random bytes as Sec-WebSocket-Key.
std::string new_websocket_key();
/// Appends the whole request head.
void write_websocket_request(std::string& out, const WebSocketRequest& request, std::string_view key);
/// Checks a 101 answer, and what it says of permessage-deflate. Errors: Code::upstream_malformed. Precondition: the
/// status is 101.
core::Result<std::optional<Deflate>> check_websocket_answer(const ResponseHead& answer, const WebSocketRequest& request,
                                                            std::string_view key);

}  // namespace oai::http
