#include "gateway/event_reply.hpp"

#include <array>

#include "gateway/forward.hpp"
#include "gateway/reply.hpp"
#include "gateway/worker_state.hpp"
#include "http/chunked.hpp"
#include "http/inflate.hpp"

namespace oai::gateway {

using core::Result;
using net::Awaitable;

namespace {

constexpr std::string_view kKeepalive = ": keep-alive\n\n";

}  // namespace

void begin_events(Exchange& x, const http::ResponseHead* upstream) {
    if (x.reply.started) return;
    x.reply.events = true;
    if (x.turn != nullptr) return;  // a WebSocket's messages need no head
    x.reply.chunked = x.request.minor_version >= 1;
    if (!x.reply.chunked) x.reply.keep = false;
    std::string& out = x.downstream.scratch;
    if (upstream != nullptr) {
        begin_head(out, *upstream, http::Inflater::knows(upstream->fields.value(http::KnownField::content_encoding)),
                   x.worker.date_line());
    } else {
        out = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n";
        out += x.worker.date_line();
    }
    // Proxies on the way must not gather events (nginx does unless it is told).
    out += x.reply.chunked ? "transfer-encoding: chunked\r\nx-accel-buffering: no\r\n" : "x-accel-buffering: no\r\n";
    finish_head(out, x);
}

Awaitable<Result<void>> write_events(Exchange& x, std::string_view events, bool last) {
    if (x.turn != nullptr) {
        x.reply.started = true;
        x.reply.status = 200;
        if (events.empty()) co_return Result<void>{};  // there is no head to send ahead
        co_return co_await x.turn->write(events);
    }
    net::Pieces pieces;
    if (!x.reply.started) pieces.add(x.downstream.scratch);
    x.reply.started = true;
    x.reply.status = 200;
    std::array<char, http::kMaxChunkHeader> header{};
    if (!events.empty()) {
        if (x.reply.chunked)
            pieces.add(std::string_view(header.data(), http::write_chunk_header(header.data(), events.size())));
        pieces.add(events);
        if (x.reply.chunked) pieces.add(http::kChunkEnd);
    }
    if (last && x.reply.chunked) pieces.add(http::kLastChunk);
    const bool written = co_await write_to_client(x, pieces);
    co_return written_or_left(x, written);
}

Awaitable<Result<void>> write_keepalive(Exchange& x) {
    if (!x.reply.events) begin_events(x, nullptr);
    co_return co_await write_events(x, kKeepalive, false);
}

}  // namespace oai::gateway
