#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "gateway/exchange.hpp"
#include "http/connection.hpp"
#include "http/head.hpp"
#include "net/types.hpp"

namespace oai::gateway {

/// A whole answer of our own.
struct PlainReply {
    int status = 200;
    std::string content_type = "application/json";  ///< empty: there is no content
    std::string body = {};
    std::string headers = {};  ///< further lines, each with its CRLF
    bool keep = true;
    bool head_only = false;  ///< the request was HEAD: the same head, and no body
};
/// An error of ours as such an answer.
PlainReply error_reply(const core::Error& error, bool keep, wire::Dialect dialect = wire::Dialect::openai);

/// False when it could not be written.
net::Awaitable<bool> send_plain(WorkerState& worker, http::Connection& connection, const PlainReply& reply);

/// Answers a request of an Exchange with something of ours, and accounts it as served; sets what of `reply` depends on
/// the request. Error: the client left.
net::Awaitable<core::Result<void>> answer_ourselves(Exchange& x, PlainReply& reply);

/// Reads and drops what is left of a request's body, when it is small enough to be worth it. False: the connection must
/// close.
net::Awaitable<bool> skip_body(http::Connection& connection, const http::RequestHead& request);

/// Begins the head of an answer that passes on the upstream's: status line and the fields that may pass, without
/// framing. `unpacked`: its coding was taken off. `date_line`: for an answer that has no Date.
void begin_head(std::string& out, const http::ResponseHead& upstream, bool unpacked, std::string_view date_line);
/// Adds ours (x-request-id, version, overhead, connection) and ends the head.
void finish_head(std::string& out, const Exchange& x);

}  // namespace oai::gateway
