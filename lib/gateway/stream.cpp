#include <array>
#include <optional>
#include <utility>

#include "gateway/event_reply.hpp"
#include "gateway/forward.hpp"
#include "gateway/resources.hpp"
#include "gateway/worker_state.hpp"
#include "http/inflate.hpp"
#include "wire/answer.hpp"
#include "wire/model_edit.hpp"
#include "wire/usage_edit.hpp"

namespace oai::gateway {

using core::Code;
using core::Error;
using core::Result;
using net::Awaitable;

namespace {

/// Events before the first output are held back up to here while another account could still take over.
constexpr std::size_t kMostHeld = 256 * 1024;
/// What a stream may unpack to, all in all, when its provider packs it unasked.
constexpr std::size_t kMostUnpacked = std::size_t{1} << 30;

/// The events of an HTTP answer: they end with its body.
class BodyEvents final : public EventSource {
public:
    BodyEvents(http::Connection& upstream, const http::ResponseHead& head)
        : body_(upstream, head, core::Source::upstream) {}

    Awaitable<Result<std::string_view>> next() override { return body_.next(); }
    bool woken() const noexcept override { return body_.woken(); }
    bool outlives_stream() const noexcept override { return false; }
    int status() const noexcept override { return 200; }

private:
    http::BodyReader body_;
};

/// An event stream on its way through: what has arrived of it, and what of that may go on.
class EventRelay {
public:
    /// `coding`: the content-encoding of what comes, or empty.
    EventRelay(Exchange& x, std::string_view coding)
        : x_(x),
          reader_(x.endpoint->terminal),
          held_(x.worker.net.buffers()),
          series_(x.worker.series.find(x.worker.shared.collector, x, x.selection.version)) {
        if (x.is_mapped()) {
            quoted_upstream_ = wire::quoted_model(x.selection.upstream_model);
            quoted_client_ = wire::quoted_model(x.body.model_name);
        }
        if (http::Inflater::knows(coding)) inflater_.emplace();
    }

    const wire::StreamReader& reader() const noexcept { return reader_; }

    /// Takes what one read brought and gives out the events that are whole now. An event that is cut waits for its
    /// rest: half of one is of no use to the client, and an error event could not follow it. The view is good until the
    /// next call.
    Result<std::string_view> take(std::string_view piece, core::TimePoint at) {
        if (inflater_) {
            unpacked_.clear();
            if (const Result<void> ok = inflater_->feed(piece, unpacked_, kMostUnpacked); !ok) return ok.error();
            piece = unpacked_;
        }
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
        return edited(events);
    }

    /// What never became a whole event: at a good end it goes on as it is.
    std::string_view rest() noexcept {
        held_.consume(std::exchange(given_, 0));
        return held_.readable();
    }

private:
    std::string_view edited(std::string_view events) {
        if (x_.hide_usage && wire::may_hold_usage_chunk(events)) {
            without_usage_ = wire::drop_usage_chunk(events);
            events = without_usage_;
        }
        if (quoted_upstream_.empty() || !wire::may_name_model(events, quoted_upstream_)) return events;
        mapped_ = wire::map_model_back(events, x_.selection.upstream_model, quoted_client_, x_.worker.scanner);
        return mapped_;
    }

    Exchange& x_;
    wire::StreamReader reader_;
    std::optional<http::Inflater> inflater_;
    std::string unpacked_;
    net::Buffer held_;       ///< bytes from the first event that was not whole on
    std::size_t given_ = 0;  ///< how many of them were given out
    std::string without_usage_, mapped_;
    std::string quoted_upstream_, quoted_client_;
    ops::SeriesId series_;
};

/// Reads, and writes what is whole, until one side ends. While another account could still take over, events before the
/// first output wait. The error is the upstream's, or `cancelled` for the client's.
class Pump {
public:
    Pump(Exchange& x, http::Connection& upstream, EventSource& source, std::string_view coding)
        : x_(x),
          upstream_(upstream),
          source_(source),
          events_(x, coding),
          preamble_(x.worker.net.buffers()),
          holding_(x.tables->stream.hold_preamble && x.endpoint->terminal != wire::Terminal::none && can_fail_over(x)),
          said_at_(now()) {}

    const wire::StreamReader& reader() const noexcept { return events_.reader(); }

    Awaitable<Result<void>> run() {
        if (!holding_ && upstream_.in.empty()) {
            // The upstream thinks: the client gets the head now, not with the first event.
            const Result<void> written = co_await write({}, false);
            if (!written) co_return written.error();
        }
        for (;;) {
            arm();
            const Result<std::string_view> piece = co_await source_.next();
            if (!piece) co_return piece.error();
            if (source_.woken()) {
                said_at_ = now();
                const Result<void> said = co_await write_keepalive(x_);
                if (!said && !keeps_reading()) co_return said.error();
                continue;
            }
            if (piece->empty()) co_return Result<void>{};
            x_.upstream_end = upstream_.read_at;
            const Result<std::string_view> whole = events_.take(*piece, upstream_.read_at);
            if (!whole) co_return whole.error();
            if (reader().first_output()) x_.stamps.first_output = reader().first_output();
            if (holding_) {
                if (failed_early()) co_return early_failure();
                if (!reader().first_output() && reader().ending() == wire::Ending::none &&
                    preamble_.size() + whole->size() <= kMostHeld) {
                    preamble_.append(*whole);
                    continue;
                }
                const Result<void> released = co_await release();
                if (!released) co_return released.error();
            }
            if (!whole->empty()) {
                const Result<void> written = co_await write(*whole, false);
                if (!written) co_return written.error();
            }
            if (source_.outlives_stream() && reader().complete()) co_return Result<void>{};
        }
    }

    /// The end of a stream that said so itself: what was held, and what came behind its last whole event.
    Awaitable<Result<void>> finish() {
        const Result<void> released = co_await release();
        if (!released) co_return released.error();
        co_return co_await write(events_.rest(), true);
    }

private:
    core::TimePoint now() const noexcept { return x_.worker.shared.clock.now(); }
    core::TimePoint total() const noexcept { return deadline_after(x_.tables->timeouts.total, x_.stamps.scheduled); }

    /// Until when the next read may take, and when it is time to say something meanwhile.
    void arm() noexcept {
        const Timeouts& timeouts = x_.tables->timeouts;
        const core::TimePoint at = now();
        const core::TimePoint limit = reader().first_output()
                                          ? deadline_after(timeouts.idle, at)
                                          : deadline_after(timeouts.first_output, *x_.attempt_start);
        upstream_.stream->set_deadline(std::min(total(), limit));
        upstream_.stream->set_wake(deadline_after(x_.tables->stream.keepalive, said_at_));
    }

    /// The client is gone, and the upstream is read on for its usage.
    bool keeps_reading() noexcept {
        unread_ = x_.tables->stream.drain_when_gone;
        return unread_;
    }

    bool failed_early() const noexcept {
        return reader().ending() == wire::Ending::failed && !reader().first_output() &&
               is_worth_another(x_, reader().refusal()) && claim_next(x_);
    }
    Error early_failure() {
        x_.attempt().refusal = reader().refusal();
        return Error{.code = Code::upstream_error,
                     .source = core::Source::upstream,
                     .retryable = true,
                     .detail = "the upstream's stream failed before its first output"};
    }

    Awaitable<Result<void>> release() {
        if (!std::exchange(holding_, false) || preamble_.empty()) co_return Result<void>{};
        const Result<void> written = co_await write(preamble_.readable(), false);
        preamble_.release();
        co_return written;
    }

    Awaitable<Result<void>> write(std::string_view events, bool last) {
        if (!remembered_ && !reader().resource_id().empty()) {
            remembered_ = true;
            remember_resource(x_, reader().resource_id());  // before the client can ask for it
        }
        // The last event of a response holds all of it; streams without a rule tell at their beginning.
        if (!told_ && (x_.endpoint->terminal == wire::Terminal::none || reader().ending() != wire::Ending::none))
            told_ = remember_told(x_, events);
        if (unread_) co_return Result<void>{};
        if (!events.empty() || last) x_.reply.committed = true;
        said_at_ = upstream_.read_at;
        // A client that reads slowly is no fault of the upstream: its time stands still meanwhile.
        upstream_.stream->set_deadline(net::Stream::kNever);
        upstream_.stream->set_wake(net::Stream::kNever);
        Result<void> written = co_await write_events(x_, events, last);
        if (!written && keeps_reading()) co_return Result<void>{};
        co_return written;
    }

    Exchange& x_;
    http::Connection& upstream_;
    EventSource& source_;
    EventRelay events_;
    net::Buffer preamble_;
    bool holding_;
    bool remembered_ = false;
    bool told_ = false;
    bool unread_ = false;
    core::TimePoint said_at_;  ///< when the client last heard from us
};

/// A quarter of a token per byte of text, a thousand for each picture or file that came as a data: URL.
std::uint32_t estimated_input(std::string_view body) noexcept {
    constexpr std::string_view data_url = "\"data:";
    std::uint64_t tokens = 0, bytes = 0;
    while (!body.empty()) {
        const std::size_t at = body.find(data_url);
        bytes += std::min(at, body.size());
        if (at == std::string_view::npos) break;
        tokens += 1000;
        body.remove_prefix(at + data_url.size());
        body.remove_prefix(std::min(body.find('"'), body.size()));
    }
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(tokens + (bytes + 3) / 4, UINT32_MAX));
}

/// What a stream without a usage of its own costs: its input by estimate, and the output that was really sent.
wire::Usage estimated_usage(const Exchange& x, const wire::StreamReader& reader) noexcept {
    return wire::Usage{.input_tokens = estimated_input(x.body.text),
                       .output_tokens = static_cast<std::uint32_t>((reader.output_bytes() + 3) / 4),
                       .estimated = true};
}

}  // namespace

Awaitable<Result<void>> relay_stream(Exchange& x, http::Connection& upstream, const http::ResponseHead& head) {
    begin_events(x, &head);
    BodyEvents events(upstream, head);
    const std::string_view coding = head.fields.value(http::KnownField::content_encoding);
    co_return co_await relay_events(x, upstream, events, coding);
}

Awaitable<Result<void>> relay_events(Exchange& x, http::Connection& upstream, EventSource& source,
                                     std::string_view coding) {
    Pump pump(x, upstream, source, coding);
    Result<void> pumped = co_await pump.run();
    upstream.stream->set_wake(net::Stream::kNever);

    const wire::StreamReader& reader = pump.reader();
    x.stamps.first_event = reader.first_event();
    x.stamps.first_output = reader.first_output();
    x.stamps.last_output = reader.last_output();
    x.usage = reader.usage();
    if (!x.usage && reader.first_output()) x.usage = estimated_usage(x, reader);
    if (!pumped && (pumped.error().source == core::Source::downstream || client_gone(x))) co_return pumped.error();
    if (x.next) co_return pumped.error();  // given up for another account
    wire::Ending ending = reader.ending();
    if (ending == wire::Ending::none && pumped && x.endpoint->terminal == wire::Terminal::none)
        ending = wire::Ending::completed;
    if (ending == wire::Ending::none) {
        // Cut, late or garbled before its end. With output out, the client is told in the stream, and nothing in it
        // looks like a good end; before that, another account may still take over.
        if (pumped)
            pumped = Error{.code = Code::upstream_truncated,
                           .source = core::Source::upstream,
                           .detail = "the upstream's stream ended before its end"};
        pumped.error().retryable = !x.reply.committed && x.attempt().refusal != wire::Refusal::request;
        co_return pumped.error();
    }
    // The terminal event was seen: whatever the upstream did after it does not take the answer back.
    const Result<void> written = co_await pump.finish();
    if (!pumped) upstream.stream->close();
    if (!written) co_return written.error();
    x.attempt().refusal = reader.refusal();
    account_answer(x, source.status(), ending);
    co_return Result<void>{};
}

}  // namespace oai::gateway
