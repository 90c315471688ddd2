#include <array>
#include <utility>

#include "gateway/forward.hpp"
#include "gateway/reply.hpp"
#include "gateway/worker_state.hpp"
#include "wire/answer.hpp"
#include "wire/error_body.hpp"
#include "wire/model_edit.hpp"

namespace oai::gateway {

using core::Code;
using core::Error;
using core::Result;
using net::Awaitable;

namespace {

/// The client's side of a stream: chunks for HTTP/1.1, the bare bytes until the close for HTTP/1.0.
class StreamWriter {
public:
    StreamWriter(Exchange& x, const http::ResponseHead& upstream) : x_(x), chunked_(x.request.minor_version >= 1) {
        if (!chunked_) x_.reply.keep = false;
        begin_head(x_.downstream.scratch, upstream);
        // Proxies on the way must not gather events (nginx does unless it is told).
        x_.downstream.scratch +=
            chunked_ ? "transfer-encoding: chunked\r\nx-accel-buffering: no\r\n" : "x-accel-buffering: no\r\n";
        finish_head(x_.downstream.scratch, x_);
    }

    /// Whole events. The head goes out with the first of them, or alone.
    Awaitable<Result<void>> write(std::string_view events, bool last) {
        net::Pieces pieces;
        if (!x_.reply.started) pieces.add(x_.downstream.scratch);
        x_.reply.started = true;
        x_.reply.status = 200;
        std::array<char, http::kMaxChunkHeader> header{};
        if (!events.empty()) {
            if (chunked_)
                pieces.add(std::string_view(header.data(), http::write_chunk_header(header.data(), events.size())));
            pieces.add(events);
            if (chunked_) pieces.add(http::kChunkEnd);
        }
        if (last && chunked_) pieces.add(http::kLastChunk);
        net::Stream::Written written = write_now(x_, pieces);
        if (written == net::Stream::Written::blocked) written = co_await write_rest(x_, pieces);
        co_return written_or_left(x_, written);
    }

private:
    Exchange& x_;
    bool chunked_;
};

/// An event stream on its way through: what has arrived of it, and what of that may go on.
class EventRelay {
public:
    explicit EventRelay(Exchange& x)
        : x_(x),
          reader_(x.endpoint->terminal),
          held_(x.worker.net.buffers()),
          series_(x.worker.series.find(x.worker.shared.collector, x)) {
        if (x.selection.upstream_model != x.body.model_name) {
            quoted_upstream_ = wire::quoted_model(x.selection.upstream_model);
            quoted_client_ = wire::quoted_model(x.body.model_name);
        }
    }

    const wire::StreamReader& reader() const noexcept { return reader_; }

    /// Takes what one read brought and gives out the events that are whole now. An event that is cut waits for its
    /// rest: half of one is of no use to the client, and an error event could not follow it. The view is good until the
    /// next call.
    Result<std::string_view> take(std::string_view piece, core::TimePoint at) {
        const Result<void> read =
            reader_.feed(piece, at, x_.worker.scanner, [&](core::TimePoint from, core::TimePoint to) {
                x_.worker.intake.add_gap(to, series_, core::elapsed_us(from, to));
            });
        if (!read) return read.error();
        held_.consume(std::exchange(given_, 0));
        const std::size_t whole = reader_.whole_bytes();
        std::string_view events = piece;
        if (!held_.empty() || whole != piece.size()) {
            if (whole != 0) given_ = held_.size() + whole;
            held_.append(piece);
            events = held_.readable().substr(0, given_);
        }
        if (quoted_upstream_.empty() || !wire::may_name_model(events, quoted_upstream_)) return events;
        mapped_ = wire::map_model_back(events, x_.selection.upstream_model, quoted_client_, x_.worker.scanner);
        return std::string_view(mapped_);
    }

    /// What never became a whole event: at a good end it goes on as it is.
    std::string_view rest() noexcept {
        held_.consume(std::exchange(given_, 0));
        return held_.readable();
    }

private:
    Exchange& x_;
    wire::StreamReader reader_;
    net::Buffer held_;       ///< bytes from the first event that was not whole on
    std::size_t given_ = 0;  ///< how many of them were given out
    std::string mapped_;
    std::string quoted_upstream_, quoted_client_;
    ops::SeriesId series_;
};

/// Reads, and writes what is whole, until one side ends. The error is the upstream's, or `cancelled` for the client's.
Awaitable<Result<void>> pump(Exchange& x, http::Connection& upstream, http::BodyReader& body, EventRelay& events,
                             StreamWriter& out) {
    const Timeouts& timeouts = x.tables->timeouts;
    const core::TimePoint total = deadline_after(timeouts.total, x.stamps.scheduled);
    if (upstream.in.empty()) {
        // The upstream thinks: the client gets the head now, not with the first event.
        const Result<void> written = co_await out.write({}, false);
        if (!written) co_return written.error();
    }
    for (;;) {
        const Result<std::string_view> piece = co_await body.next();
        if (!piece) co_return piece.error();
        if (piece->empty()) co_return Result<void>{};
        x.upstream_end = upstream.read_at;
        const Result<std::string_view> whole = events.take(*piece, upstream.read_at);
        if (!whole) co_return whole.error();
        if (events.reader().first_output())
            upstream.stream->set_deadline(std::min(total, deadline_after(timeouts.idle, upstream.read_at)));
        if (whole->empty()) continue;
        const Result<void> written = co_await out.write(*whole, false);
        if (!written) co_return written.error();
    }
}

}  // namespace

Awaitable<Result<void>> relay_stream(Exchange& x, http::Connection& upstream, const http::ResponseHead& head) {
    const bool keep_connection = head.keep_alive;
    StreamWriter out(x, head);
    EventRelay events(x);
    http::BodyReader body(upstream, head, core::Source::upstream);
    Result<void> pumped = co_await pump(x, upstream, body, events, out);

    const wire::StreamReader& reader = events.reader();
    x.stamps.first_event = reader.first_event();
    x.stamps.first_output = reader.first_output();
    x.stamps.last_output = reader.last_output();
    x.usage = reader.usage();
    const bool client_left =
        !pumped && (pumped.error().source == core::Source::downstream || x.downstream.stream->peer_gone());
    if (client_left) {
        upstream.stream->close();
        co_return pumped.error();
    }
    if (reader.ending() == wire::Ending::none) {
        // Cut, late or garbled before its end: the client is told in the stream, and nothing in it looks like a good
        // end.
        upstream.stream->close();
        if (pumped)
            pumped = Error{.code = Code::upstream_truncated,
                           .source = core::Source::upstream,
                           .detail = "the upstream's stream ended before its end"};
        const std::string event = wire::error_event(pumped.error(), x.endpoint->terminal);
        x.reply.keep = false;
        const Result<void> written = co_await out.write(event, true);
        co_return written ? pumped.error() : written.error();
    }
    // The terminal event was seen: whatever the upstream did after it does not take the answer back.
    const Result<void> written = co_await out.write(events.rest(), true);
    if (!pumped || !keep_connection) upstream.stream->close();
    if (!written) co_return written.error();
    account_answer(x, 200, reader.ending());
    co_return Result<void>{};
}

}  // namespace oai::gateway
