#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/head.hpp"
#include "upstream/account.hpp"

namespace oai::gateway {

/// A request as it leaves for an upstream, apart from its body.
struct OutgoingHead {
    const http::RequestHead& client;
    const upstream::Account& account;
    std::string_view credential;                   ///< the account\'s header lines
    bool turn = false;                             ///< of a WebSocket: the client\'s own head is that of its upgrade
    std::string_view rest_path;                    ///< behind "/v1"
    std::string_view model;                        ///< as the upstream knows it: names Azure's deployment
    bool azure_style = false;                      ///< the client wrote Azure's path: its api-version is for Azure only
    std::optional<std::uint64_t> body_bytes = {};  ///< of the body as it goes out
    bool chunked = false;                          ///< its length is not known
    std::span<const std::string> dropped = {};     ///< fields of the client's that the configuration keeps back
};

/// Writes the head: `append_fields` with framing of our own.
void write_request_head(std::string& out, const OutgoingHead& head);

/// The lines of the client's end-to-end fields, less its credential, its cookies and what belongs to the hop; with the
/// account's credential.
void append_fields(std::string& out, const OutgoingHead& head);

/// Path and query at the account: "/v1/..." behind its base URL, or Azure's way of saying it.
void append_target(std::string& out, const OutgoingHead& head);

}  // namespace oai::gateway
