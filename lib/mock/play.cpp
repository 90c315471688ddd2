#include <algorithm>
#include <chrono>
#include <utility>

#include "mock/session.hpp"
#include "wire/error_body.hpp"

namespace oai::mock {

using core::TimePoint;
using net::Awaitable;

namespace {

/// Streams without delays are gathered up to this size per write.
constexpr std::size_t kGather = 32 * 1024;
/// How often a waiting answer looks whether its client is still there. It also bounds how long a worker that is stopped
/// under a running server has to wait.
constexpr std::chrono::milliseconds kLookPeriod{250};

using Kind = Fault::Kind;

/// Whether what comes before the end is half an event.
bool breaks_events(Kind kind) {
    return kind == Kind::cut || kind == Kind::reset || kind == Kind::early_close;
}

TimePoint now() {
    return std::chrono::steady_clock::now();
}

}  // namespace

bool Session::is_immediate() const noexcept {
    return !streams_ && !disturbs_sending(plan_.fault.kind) && plan_.first_output.count() == 0;
}

Awaitable<bool> Session::play() {
    switch (plan_.fault.kind) {
        case Kind::hang: co_await wait_for_leave(); co_return false;
        case Kind::cut_before_head:
        case Kind::reset_before_head:
            co_await wait_until(received_ + plan_.first_byte);
            body_.clear();
            co_await break_off();
            co_return false;
        case Kind::unasked_101:
            body_.clear();
            head_ = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n";
            co_await break_off();
            co_return false;
        default: break;
    }
    if (streams_) co_return co_await play_stream();
    co_return co_await play_whole();
}

Awaitable<bool> Session::play_whole() {
    // An error answers early: it did not have to think.
    const bool there = co_await wait_until(received_ + (status_ == 200 ? plan_.first_output : plan_.first_byte));
    if (!there) co_return false;
    render_whole();
    if (!has_position(plan_.fault.kind) && plan_.fault.kind != Kind::truncated_json) co_return co_await flush(true);
    if (fails(plan_.fault.kind)) co_return co_await flush(true);
    body_.resize(plan_.fault.after.value_or(1) == 0 ? 0 : body_.size() / 2);
    co_await break_off();
    co_return false;
}

Awaitable<bool> Session::play_stream() {
    const Format& format = match_.route->format();
    const Kind kind = plan_.fault.kind;
    const bool broken = plan_.fault.after.has_value();
    const unsigned steps = broken ? *plan_.fault.after + 1 : plan_.output_tokens;
    const bool there = co_await wait_until(received_ + plan_.first_byte);
    if (!there) co_return false;
    render_head(format.stream_type(), 0);
    if (kind == Kind::ping_only) co_return co_await play_pings();
    if (kind == Kind::first_event_error) {
        record_.events += format.error_event(body_, answer_);
        co_return co_await flush(true);
    }
    record_.events += format.open(body_, answer_);

    TimePoint due = received_ + plan_.first_output;
    TimePoint clock = now();
    for (unsigned i = 0; i < steps; ++i) {
        if (i != 0) due += plan_.next_gap();
        if (due > clock) clock = now();
        if (due > clock || body_.size() >= kGather) {
            const bool sent = co_await flush(false);
            if (!sent) co_return false;
            const bool still_there = co_await wait_until(due);
            if (!still_there) co_return false;
            clock = now();
        }
        if (broken && i == *plan_.fault.after) break;  // at the time of the event that will not come
        record_.events += format.output(body_, answer_, i);
        record_.output_events += answer_.choices;
    }

    if (broken && !fails(kind)) {
        if (breaks_events(kind) && *plan_.fault.after != 0) {
            // Real cuts do not respect events.
            const std::size_t whole = body_.size();
            format.output(body_, answer_, *plan_.fault.after);
            body_.resize(whole + (body_.size() - whole) / 2);
        }
        co_await break_off();
        co_return false;
    }
    if (kind == Kind::late_error) {
        record_.events += format.error_event(body_, answer_);
    } else if (broken) {
        record_.events += format.fail(body_, answer_, *plan_.fault.after);
    } else if (kind != Kind::no_terminal) {
        record_.events += format.close(body_, answer_);
    }
    co_return co_await flush(true);
}

Awaitable<bool> Session::play_pings() {
    for (;;) {
        body_ += ": ping\n\n";
        const bool sent = co_await flush(false);
        if (!sent) co_return false;
        const bool still_there = co_await wait_until(now() + plan_.fault.delay);
        if (!still_there) co_return false;
    }
}

Awaitable<void> Session::break_off() {
    const bool sent = co_await flush(false);
    switch (plan_.fault.kind) {
        case Kind::stall:
        case Kind::unasked_101:
            if (sent) co_await wait_for_leave();
            break;
        case Kind::bad_chunk: {
            const net::Pieces garbage{"xyz\r\nthis is no chunk\r\n"};
            co_await send(garbage);
            break;
        }
        case Kind::close_1011:
        case Kind::close_1013: {
            const bool internal = plan_.fault.kind == Kind::close_1011;
            if (socket_ != nullptr)
                co_await socket_->close(internal ? http::CloseCode::internal : http::CloseCode::try_again_later);
            break;
        }
        case Kind::reset:
        case Kind::reset_before_head: stream().reset(); co_return;
        default: break;
    }
    stream().close();
}

void Session::render_refusal(const Refusal& refusal) {
    status_ = refusal.status;
    streams_ = false;
    plan_ = Plan{};
    body_.clear();
    append_error_body(body_, match_.shape, refusal.status, {refusal.code, refusal.message}, refusal.param);
}

void Session::render_whole() {
    if (plan_.gzip) body_ = Gzip::whole(body_);
    const std::size_t size = body_.size();
    render_head(type_, plan_.fault.kind == Kind::wrong_length ? size - std::min<std::size_t>(size, 7) : size);
    if (head_request_) body_.clear();
}

void Session::render_head(std::string_view content_type, std::size_t content_length) {
    const core::RequestId request_id(shard_.worker.ids());
    record_.status = status_;
    framing_ = streams_ ? Framing::chunked : Framing::length;
    if (plan_.fault.kind == Kind::bad_chunk) framing_ = Framing::chunked;
    if (plan_.fault.kind == Kind::early_close) framing_ = Framing::until_close;
    if (framing_ == Framing::chunked && old_client_) framing_ = Framing::until_close;  // HTTP/1.0 knows no chunks
    if (framing_ == Framing::until_close) keep_ = false;
    if (plan_.gzip && streams_) gzip_ = std::make_unique<Gzip>();
    append(head_, "HTTP/1.1 ", status_, " ", wire::reason_phrase(status_), "\r\ncontent-type: ", content_type, "\r\n");
    if (framing_ == Framing::length) append(head_, "content-length: ", content_length, "\r\n");
    if (framing_ == Framing::chunked) append(head_, "transfer-encoding: chunked\r\n");
    if (streams_) append(head_, "cache-control: no-cache\r\n");
    if (plan_.gzip) append(head_, "content-encoding: gzip\r\n");
    const auto waited = std::chrono::floor<std::chrono::milliseconds>(now() - received_);
    if (match_.shape == Shape::anthropic) {
        append(head_, "request-id: ", request_id.view(), "\r\n");
    } else {
        append(head_, "x-request-id: ", request_id.view(), "\r\nopenai-processing-ms: ", waited.count(),
               "\r\nopenai-version: 2020-10-01\r\n");
    }
    if (plan_.fault.kind == Kind::error)
        append_retry_hint(head_, plan_.fault, shard_.current().retry_after, std::chrono::system_clock::now());
    if (!keep_) {
        append(head_, "connection: close\r\n");
    } else if (old_client_) {
        append(head_, "connection: keep-alive\r\n");
    }
    append(head_, "\r\n");
}

net::Pieces Session::framed(bool last) {
    net::Pieces pieces{head_};
    const bool chunked = framing_ == Framing::chunked;
    if (chunked && !body_.empty()) {
        pieces.add(std::string_view(chunk_header_, http::write_chunk_header(chunk_header_, body_.size())));
        pieces.add(body_);
        pieces.add(http::kChunkEnd);
    } else {
        pieces.add(body_);
    }
    if (chunked && last) pieces.add(http::kLastChunk);
    return pieces;
}

void Session::stamp() {
    ended_ = now();
    const std::int64_t since = core::elapsed_us(received_, ended_).count();
    if (!record_.first_byte_us) record_.first_byte_us = since;
    if (!record_.first_output_us && record_.output_events != 0) record_.first_output_us = since;
}

Awaitable<bool> Session::flush(bool last) {
    if (socket_ != nullptr) co_return co_await flush_messages();
    if (gzip_) body_ = gzip_->next(body_, last);
    if (plan_.fault.kind == Kind::slow_head && !head_.empty()) {
        const bool there = co_await send_half_head();
        if (!there) co_return false;
    }
    const net::Pieces pieces = framed(last);
    bool sent = true;
    if (plan_.fault.kind == Kind::trickle) {
        sent = co_await trickle(pieces);
    } else if (!pieces.empty()) {
        sent = co_await send(pieces);
    }
    head_.clear();
    body_.clear();
    co_return sent;
}

Awaitable<bool> Session::send(net::Pieces pieces) {
    const std::size_t size = pieces.size();
    stamp();
    // What goes out at once ends at its stamp; only a write that waited ends later.
    const net::Stream::Written written = stream().try_write(pieces);
    bool sent = written == net::Stream::Written::done;
    if (written == net::Stream::Written::blocked) {
        sent = co_await stream().write(pieces, kWriteTime);
        ended_ = now();
    }
    if (sent) record_.bytes += size;
    co_return sent;
}

Awaitable<bool> Session::send_half_head() {
    const net::Pieces half{std::string_view(head_).substr(0, head_.size() / 2)};
    const bool sent = co_await send(half);
    head_.erase(0, head_.size() / 2);
    if (!sent) co_return false;
    const bool there = co_await wait_until(now() + plan_.fault.delay);
    co_return there;
}

Awaitable<bool> Session::trickle(net::Pieces pieces) {
    for (const std::string_view piece : pieces.rest()) {
        for (std::size_t i = 0; i < piece.size(); ++i) {
            const net::Pieces one{piece.substr(i, 1)};
            const bool sent = co_await send(one);
            if (!sent) co_return false;
            if (plan_.fault.delay.count() == 0) continue;
            const bool there = co_await wait_until(now() + plan_.fault.delay);
            if (!there) co_return false;
        }
    }
    co_return true;
}

Awaitable<bool> Session::wait_until(TimePoint due) {
    for (;;) {
        if (!stream().is_open()) co_return false;
        const TimePoint at = now();
        if (due <= at) co_return true;
        boost::system::error_code cancelled;
        timer_.expires_at(std::min(due, at + kLookPeriod));
        co_await timer_.async_wait(net::use_awaitable(cancelled));
        if (due > now() && stream().is_open() && peer_left()) co_return false;
    }
}

bool Session::peer_left() {
    // A peer that sends ahead is not gone; its bytes are kept for later, within reason.
    if (connection_.in.size() >= kKeptMemory || !stream().is_stale()) return false;
    if (connection_.in.writable().empty()) connection_.in.reserve(connection_.in.size() + 1);
    const std::size_t n = stream().try_read(connection_.in.writable());
    connection_.in.commit(n);
    if (n != 0) connection_.read_at = now();
    return n == 0;
}

Awaitable<void> Session::wait_for_leave() {
    // No deadline: a hang is meant to last as long as its client has patience.
    for (;;) {
        connection_.in.clear();
        const std::size_t n = co_await connection_.read_more();
        const bool more = connection_.got(n);
        if (!more) break;
    }
    ended_ = now();
}

}  // namespace oai::mock
