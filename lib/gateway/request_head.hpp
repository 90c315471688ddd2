#pragma once

#include <string>
#include <string_view>

#include "http/head.hpp"
#include "upstream/catalog.hpp"

namespace oai::gateway {

/// Writes the head of the request an upstream gets: the client's end-to-end fields, less its credential, its cookies
/// and what belongs to the hop; with the account's credential and a length of our own.
void write_request_head(std::string& out, const http::RequestHead& client, const upstream::Account& account,
                        std::size_t body_bytes);

}  // namespace oai::gateway
