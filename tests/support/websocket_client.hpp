#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/websocket.hpp"

namespace oai::test {

/// What a client of Responses over WebSocket says, one thing after the other, and what it hears.
struct Conversation {
    /// Each after the end of the answer before it. "{id}" stands for the id of the last response; "binary:..." goes out
    /// as a binary message.
    std::vector<std::string> say;
    std::string fields = {};             ///< further lines of the handshake, each with its CRLF
    std::size_t leave_after = SIZE_MAX;  ///< so many messages of an answer: then the client is gone, without a Close

    std::vector<std::vector<std::string>> heard = {};  ///< for each thing said, the messages up to the answer's end
    std::optional<http::CloseCode> closed = {};
    std::string close_reason = {};
    bool opened = false;
    int status = 0;  ///< of the answer to the handshake
    std::string failed = {};
};

/// Holds it to its end, on a thread of the caller's. At most 20 s.
void hold(std::uint16_t port, Conversation& conversation);

/// The message that ends an answer.
bool is_end(std::string_view message);

}  // namespace oai::test
