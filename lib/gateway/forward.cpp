#include "gateway/forward.hpp"

#include <array>

#include "core/log.hpp"
#include "gateway/request_head.hpp"
#include "gateway/stages.hpp"
#include "gateway/worker_state.hpp"
#include "wire/model_edit.hpp"

namespace oai::gateway {

using core::Code;
using core::Error;
using core::Result;
using net::Awaitable;
using net::Stream;

core::TimePoint deadline_after(std::chrono::nanoseconds after, core::TimePoint now) noexcept {
    return after.count() == 0 ? Stream::kNever : now + after;
}

Stream::Written write_now(Exchange& x, net::Pieces& pieces) noexcept {
    return x.downstream.stream->try_write(pieces);
}

Awaitable<Stream::Written> write_rest(Exchange& x, net::Pieces pieces) {
    Stream& stream = *x.downstream.stream;
    stream.set_deadline(deadline_after(x.tables->timeouts.idle, x.worker.shared.clock.now()));
    const bool good = co_await stream.write(pieces);
    stream.set_deadline(Stream::kNever);
    co_return good ? Stream::Written::done : Stream::Written::failed;
}

Result<void> written_or_left(Exchange& x, Stream::Written written) {
    if (written == Stream::Written::done) return {};
    x.reply.keep = false;
    return Error{
        .code = Code::cancelled,
        .source = core::Source::downstream,
        .detail = x.downstream.stream->timed_out() ? "the client does not read its answer" : "the client left"};
}

namespace {

/// The request as the upstream gets it: a head of our own, and the client's bytes around the name of the model.
net::Pieces request_pieces(const Exchange& x, http::Connection& upstream, std::string_view mapped_model) {
    const std::array<json::Splice, 1> splices{{{x.body.model.raw, mapped_model}}};
    const std::span<const json::Splice> edits(splices.data(), mapped_model.empty() ? 0 : 1);
    write_request_head(upstream.scratch, x.request, *x.selection.account, json::spliced_size(x.body.text, edits));
    net::Pieces pieces{upstream.scratch};
    json::spliced(x.body.text, edits, [&](std::string_view piece) { pieces.add(piece); });
    return pieces;
}

/// A fresh connection that takes no more may hold an answer already (a 413, say): it is read, and so is one whose time
/// is over, which says just that. A kept one was closed.
Result<void> sent_or_closed(const http::Connection& upstream, Stream::Written written) {
    if (written == Stream::Written::done || !upstream.reused || upstream.stream->timed_out()) return {};
    return Error{.code = Code::upstream_truncated,
                 .source = core::Source::upstream,
                 .retryable = true,
                 .detail = "the kept connection was closed"};
}

Error client_left() {
    return Error{.code = Code::cancelled, .source = core::Source::downstream, .detail = "the client left"};
}

bool is_event_stream(const http::ResponseHead& head) noexcept {
    return head.status == 200 && head.fields.value("content-type").starts_with("text/event-stream");
}

}  // namespace

Awaitable<Result<void>> forward(Exchange& x) {
    const upstream::Account& account = *x.selection.account;
    const Timeouts& timeouts = x.tables->timeouts;
    std::string mapped;
    if (x.selection.upstream_model != x.body.model_name) mapped = wire::quoted_model(x.selection.upstream_model);

    const core::TimePoint start = x.worker.shared.clock.now();
    x.attempt_start = start;
    const core::TimePoint total = deadline_after(timeouts.total, x.stamps.scheduled);
    std::unique_ptr<http::Connection> upstream;
    for (;;) {
        upstream = x.worker.pool.take(account.target, start);
        if (!upstream) {
            Result<std::unique_ptr<http::Connection>> opened =
                co_await x.worker.pool.open(account.target, std::min(total, deadline_after(timeouts.connect, start)));
            if (!opened) {
                // The address is ours to know, not the client's.
                core::log(core::LogLevel::warn, "an upstream cannot be reached",
                          {{"account", account.name}, {"reason", opened.error().detail}});
                opened.error().detail = "no connection to the upstream";
                co_return opened.error();
            }
            upstream = std::move(*opened);
        }
        upstream->stream->set_deadline(x.body.stream ? std::min(total, deadline_after(timeouts.first_output, start))
                                                     : total);
        const net::PeerWatch watch(*x.downstream.stream, *upstream->stream);
        net::Pieces pieces = request_pieces(x, *upstream, mapped);
        Stream::Written written = upstream->stream->try_write(pieces);
        if (written == Stream::Written::blocked) {
            const bool good = co_await upstream->stream->write(pieces);
            written = good ? Stream::Written::done : Stream::Written::failed;
        }
        x.stamps.sent = x.worker.shared.clock.now();
        Result<void> answered = sent_or_closed(*upstream, written);
        if (answered)
            answered = co_await http::read_response_head(*upstream, x.request.method, upstream->response_head());
        if (answered) break;
        if (x.downstream.stream->peer_gone()) co_return client_left();
        // Kept connections may have been closed meanwhile; each is tried once, then a fresh one decides.
        if (!answered.error().retryable || x.worker.net.stopping()) co_return answered.error();
    }
    const http::ResponseHead& head = upstream->response_head();
    x.stamps.first_byte = upstream->read_at;

    const bool keep_upstream = head.keep_alive;
    const net::PeerWatch watch(*x.downstream.stream, *upstream->stream);
    // Two statements: g++ 12 destroys the result of a co_await inside ?: twice (coroutine_canary_test.cpp).
    Result<void> relayed;
    if (is_event_stream(head)) {
        relayed = co_await relay_stream(x, *upstream, head);
    } else {
        relayed = co_await relay_whole(x, *upstream, head);
    }
    if (!relayed && x.downstream.stream->peer_gone()) co_return client_left();
    if (!relayed) co_return relayed.error();
    http::finish_body(x.downstream, x.body.text);
    if (keep_upstream) x.worker.pool.give(std::move(upstream));
    co_return Result<void>{};
}

}  // namespace oai::gateway
