#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/redirect_error.hpp>

#include "mock/session.hpp"

namespace oai::mock {

using core::Code;
using core::Error;
using core::TimePoint;
using net::Awaitable;

namespace {

/// Streams without delays are gathered up to this size per write.
constexpr std::size_t kGather = 32 * 1024;
/// How often a waiting answer looks whether its client is still there. It also bounds how long a worker that is stopped
/// under a running server has to wait.
constexpr std::chrono::milliseconds kLookPeriod{250};

TimePoint now() {
    return std::chrono::steady_clock::now();
}

std::string_view reason(int status) {
    switch (status) {
        case 200: return "OK";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 408: return "Request Timeout";
        case 413: return "Payload Too Large";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        case 529: return "Overloaded";
        default: return "Error";
    }
}

int status_of(Code code) {
    switch (code) {
        case Code::invalid_request:
        case Code::malformed_http: return 400;
        case Code::not_found: return 404;
        case Code::method_not_allowed: return 405;
        case Code::request_timeout: return 408;
        case Code::payload_too_large: return 413;
        case Code::head_too_large: return 431;
        default: return 500;
    }
}

bool breaks(const Fault& fault) {
    return fault.kind == Fault::Kind::cut || fault.kind == Fault::Kind::stall ||
           fault.kind == Fault::Kind::failed_event;
}

}  // namespace

bool Session::is_immediate() const noexcept {
    const Fault::Kind kind = plan_.fault.kind;
    const bool plain = kind == Fault::Kind::none || kind == Fault::Kind::error || kind == Fault::Kind::slow ||
                       kind == Fault::Kind::failed_event;
    return plain && (!stream_answer_ || status_ != 200) && plan_.first_output.count() == 0;
}

Awaitable<bool> Session::play() {
    if (plan_.fault.kind == Fault::Kind::hang) {
        co_await wait_for_leave();
        co_return false;
    }
    if (plan_.fault.kind == Fault::Kind::cut_before_head) {
        co_await wait_until(received_ + plan_.first_byte);
        co_return false;
    }
    if (stream_answer_ && status_ == 200) co_return co_await play_stream();
    co_return co_await play_whole();
}

Awaitable<bool> Session::play_whole() {
    // An error answers early: it did not have to think.
    const bool there = co_await wait_until(received_ + (status_ == 200 ? plan_.first_output : plan_.first_byte));
    if (!there) co_return false;
    render_whole();
    const Fault::Kind kind = plan_.fault.kind;
    if (kind != Fault::Kind::cut && kind != Fault::Kind::stall) co_return co_await flush(true);
    body_.resize(plan_.fault.after.value_or(1) == 0 ? 0 : body_.size() / 2);
    const bool sent = co_await flush(true);
    if (sent && kind == Fault::Kind::stall) co_await wait_for_leave();
    co_return false;
}

Awaitable<bool> Session::play_stream() {
    const Format& format = route_->format();
    const bool broken = breaks(plan_.fault);
    const unsigned steps = broken ? *plan_.fault.after + 1 : plan_.output_tokens;
    const bool there = co_await wait_until(received_ + plan_.first_byte);
    if (!there) co_return false;
    render_head("text/event-stream; charset=utf-8", 0);
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
        ++record_.output_events;
    }

    if (plan_.fault.kind == Fault::Kind::cut || plan_.fault.kind == Fault::Kind::stall) {
        if (plan_.fault.kind == Fault::Kind::cut && *plan_.fault.after != 0) {
            // Real cuts do not respect events.
            const std::size_t whole = body_.size();
            format.output(body_, answer_, *plan_.fault.after);
            body_.resize(whole + (body_.size() - whole) / 2);
        }
        const bool sent = co_await flush(false);
        if (sent && plan_.fault.kind == Fault::Kind::stall) co_await wait_for_leave();
        co_return false;
    }
    record_.events += broken ? format.fail(body_, answer_, *plan_.fault.after) : format.close(body_, answer_);
    co_return co_await flush(true);
}

void Session::render_error(const Error& error) {
    status_ = status_of(error.code);
    stream_answer_ = false;
    plan_ = Plan{};
    body_.clear();
    append_error_body(body_, error.detail, "invalid_request_error", error.param, {});
}

void Session::render_whole() {
    render_head("application/json", body_.size());
    if (head_request_) body_.clear();
}

void Session::render_head(std::string_view content_type, std::size_t content_length) {
    const core::RequestId request_id(shard_.worker.ids());
    record_.status = status_;
    const bool streamed = stream_answer_ && status_ == 200;
    if (streamed && old_client_) keep_ = false;  // HTTP/1.0 knows no chunks: the end of the connection is the end
    append(head_, "HTTP/1.1 ", status_, " ", reason(status_), "\r\ncontent-type: ", content_type, "\r\n");
    if (!streamed) {
        append(head_, "content-length: ", content_length, "\r\n");
    } else {
        append(head_, "cache-control: no-cache\r\n", old_client_ ? "" : "transfer-encoding: chunked\r\n");
    }
    const auto waited = std::chrono::floor<std::chrono::milliseconds>(now() - received_);
    append(head_, "x-request-id: ", request_id.view(), "\r\nopenai-processing-ms: ", waited.count(),
           "\r\nopenai-version: 2020-10-01\r\n");
    if (plan_.fault.kind == Fault::Kind::error && (status_ == 429 || status_ == 503))
        append(head_, "retry-after: ", shard_.current().retry_after.count(), "\r\n");
    if (!keep_) {
        append(head_, "connection: close\r\n");
    } else if (old_client_) {
        append(head_, "connection: keep-alive\r\n");
    }
    append(head_, "\r\n");
}

net::Pieces Session::framed(bool last) {
    net::Pieces pieces{head_};
    const bool chunked = stream_answer_ && status_ == 200 && !old_client_;
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
    net::Pieces pieces = framed(last);
    if (pieces.empty()) co_return true;
    const std::size_t size = pieces.size();
    stamp();
    net::Stream::Written written = stream().is_open() ? stream().try_write(pieces) : net::Stream::Written::failed;
    if (written == net::Stream::Written::blocked) {
        stream().set_deadline(now() + kWriteTime);
        const bool sent = co_await stream().write(pieces);
        stream().set_deadline(net::Stream::kNever);
        ended_ = now();
        written = sent ? net::Stream::Written::done : net::Stream::Written::failed;
    }
    if (written == net::Stream::Written::done) record_.bytes += size;
    head_.clear();
    body_.clear();
    co_return written == net::Stream::Written::done;
}

Awaitable<bool> Session::wait_until(TimePoint due) {
    for (;;) {
        if (!stream().is_open()) co_return false;
        const TimePoint at = now();
        if (due <= at) co_return true;
        boost::system::error_code cancelled;
        timer_.expires_at(std::min(due, at + kLookPeriod));
        co_await timer_.async_wait(boost::asio::redirect_error(net::use_awaitable, cancelled));
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
