#include "http/connection.hpp"

#include <cstring>
#include <utility>

namespace oai::http {

using core::Code;
using core::Error;
using core::Result;
using core::Source;
using net::Awaitable;

namespace {

Error side_error(Source from, Code downstream, Code upstream, std::string detail) {
    return Error{.code = from == Source::upstream ? upstream : downstream, .source = from, .detail = std::move(detail)};
}

/// What a read that brought nothing means in the middle of a body.
Error cut(const Connection& connection, Source from) {
    const bool upstream = from == Source::upstream;
    if (connection.stream->timed_out())
        return side_error(
            from, Code::request_timeout, Code::upstream_timeout,
            upstream ? "the upstream's answer did not arrive in time" : "the request body did not arrive in time");
    return side_error(
        from, Code::cancelled, Code::upstream_truncated,
        upstream ? "the upstream's answer ended before its end" : "the client closed in the middle of its request");
}

}  // namespace

Connection::Connection(net::Worker& worker, std::unique_ptr<net::Stream> connected)
    : stream(std::move(connected)), in(worker.buffers()), head(worker.buffers()) {}

Connection::Connection(net::Worker& worker, net::Socket socket)
    : Connection(worker, std::make_unique<net::Stream>(worker, std::move(socket))) {}

ResponseHead& Connection::response_head() {
    if (!response_head_) response_head_ = std::make_unique<ResponseHead>();
    return *response_head_;
}

bool Connection::got(std::size_t n) noexcept {
    if (n == 0) return false;
    in.commit(n);
    read_at = std::chrono::steady_clock::now();
    return true;
}

Awaitable<Result<bool>> read_request_head(Connection& connection, RequestHead& out) {
    connection.head.release();
    connection.head_reader.reset();
    HeadStatus status = connection.in.empty() ? HeadStatus::incomplete
                                              : connection.head_reader.read_request(connection.in.readable(), out);
    while (status == HeadStatus::incomplete) {
        const std::size_t n = co_await connection.read_more();
        if (!connection.got(n)) {
            if (connection.in.empty()) co_return false;
            if (connection.stream->timed_out())
                co_return Error{.code = Code::request_timeout,
                                .source = Source::downstream,
                                .detail = "the request head did not arrive in time"};
            co_return Error{.code = Code::cancelled,
                            .source = Source::downstream,
                            .detail = "the client closed in the middle of a request head"};
        }
        status = connection.head_reader.read_request(connection.in.readable(), out);
    }
    if (status == HeadStatus::malformed) co_return connection.head_reader.error();
    connection.in.consume(connection.head_reader.consumed());
    // The head keeps its block, the rest moves on: reading the body may move bytes about, and the head's views must
    // stay good.
    std::swap(connection.head, connection.in);
    if (!connection.head.empty()) {
        connection.in.append(connection.head.readable());
        connection.head.consume(connection.head.size());
    }
    co_return true;
}

Awaitable<Result<void>> read_response_head(Connection& connection, std::string_view method, ResponseHead& out) {
    for (;;) {
        connection.head_reader.reset();
        HeadStatus status = connection.in.empty()
                                ? HeadStatus::incomplete
                                : connection.head_reader.read_response(connection.in.readable(), method, out);
        while (status == HeadStatus::incomplete) {
            const std::size_t n = co_await connection.read_more();
            if (!connection.got(n)) {
                if (connection.stream->timed_out())
                    co_return Error{.code = Code::upstream_timeout,
                                    .source = Source::upstream,
                                    .detail = "the upstream did not answer in time"};
                // A kept connection that was closed while it rested: nothing of this request was dealt with.
                // One that we closed (a stop, a deadline) is not: its request may be running.
                const bool unused = connection.reused && connection.in.empty() && connection.stream->is_open();
                co_return Error{.code = Code::upstream_truncated,
                                .source = Source::upstream,
                                .retryable = unused,
                                .detail = "the upstream closed the connection before it answered"};
            }
            status = connection.head_reader.read_response(connection.in.readable(), method, out);
        }
        if (status == HeadStatus::malformed) co_return connection.head_reader.error();
        if (out.status >= 200 || out.status == 101) break;
        connection.in.consume(connection.head_reader.consumed());
    }
    connection.in.consume(connection.head_reader.consumed());
    co_return Result<void>{};
}

Awaitable<void> close_gently(Connection& connection) {
    constexpr std::chrono::seconds kPatience{1};
    constexpr std::size_t kMostDropped = 1 << 20;
    if (!connection.stream->is_open()) co_return;
    connection.stream->shutdown_send();
    connection.stream->set_deadline(std::chrono::steady_clock::now() + kPatience);
    for (std::size_t dropped = 0; dropped < kMostDropped;) {
        connection.in.clear();
        const std::size_t n = co_await connection.read_more();
        if (n == 0) break;
        dropped += n;
    }
    connection.stream->close();
}

BodyReader::BodyReader(Connection& connection, const Head& head, Source from) noexcept
    : connection_(connection), framing_(head.body), from_(from), left_(head.content_length), chunked_(from) {
    if (framing_ == BodyFraming::until_close) connection.stream->expect_end();
    if (framing_ == BodyFraming::none || (framing_ == BodyFraming::length && left_ == 0)) done_ = true;
}

/// Makes the next piece from what is in the buffer. True: `piece_` is new, or the body is done.
Result<bool> BodyReader::take() {
    connection_.in.consume(std::exchange(raw_, 0));
    piece_ = {};
    const std::string_view raw = connection_.in.readable();
    switch (framing_) {
        case BodyFraming::none: break;
        case BodyFraming::until_close:
            piece_ = raw;
            raw_ = raw.size();
            break;
        case BodyFraming::length:
            piece_ = raw.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, raw.size())));
            raw_ = piece_.size();
            left_ -= piece_.size();
            if (left_ == 0) done_ = true;
            break;
        case BodyFraming::chunked: {
            // The payload of all chunks at hand is moved together, so that one read makes one piece.
            char* const start = connection_.in.data();
            std::size_t length = 0;
            for (;;) {
                const ChunkedDecoder::Step step = chunked_.feed(raw.substr(raw_));
                raw_ += step.consumed;
                // What came before the damage is good and goes out first; the decoder stays malformed for the next
                // call.
                if (step.status == ChunkedDecoder::Status::malformed && length == 0) return chunked_.error();
                if (step.status == ChunkedDecoder::Status::done) done_ = true;
                if (step.status != ChunkedDecoder::Status::payload) break;
                if (start + length != step.payload.data())
                    std::memmove(start + length, step.payload.data(), step.payload.size());
                length += step.payload.size();
            }
            piece_ = std::string_view(start, length);
            break;
        }
    }
    bytes_ += piece_.size();
    return done_ || !piece_.empty();
}

void BodyReader::finish() noexcept {
    connection_.in.consume(std::exchange(raw_, 0));
}

Awaitable<Result<std::string_view>> BodyReader::next() {
    woken_ = false;
    if (done_) {
        finish();
        co_return std::string_view{};
    }
    for (;;) {
        Result<bool> taken = take();
        if (!taken) co_return taken.error();
        if (*taken) co_return piece_;
        const std::size_t n = co_await connection_.read_more();
        if (connection_.got(n)) continue;
        if (connection_.stream->take_woken()) {
            woken_ = true;
            co_return std::string_view{};
        }
        const bool clean_end = framing_ == BodyFraming::until_close && !connection_.stream->timed_out() &&
                               connection_.stream->error() == boost::asio::error::eof;
        if (!clean_end) co_return cut(connection_, from_);
        done_ = true;
        co_return std::string_view{};
    }
}

Awaitable<Result<std::string_view>> read_whole_body(Connection& connection, const Head& head, Source from,
                                                    std::size_t limit, net::Buffer& into) {
    const auto too_large = [&] {
        return side_error(from, Code::payload_too_large, Code::upstream_malformed,
                          "the body is larger than " + std::to_string(limit) + " bytes");
    };
    if (head.body == BodyFraming::length) {
        const auto length = static_cast<std::size_t>(head.content_length);
        if (length > limit) co_return too_large();
        if (connection.in.size() >= length) co_return connection.in.readable().substr(0, length);
        // The rest is read straight to where it stays.
        into.reserve(length);
        into.append(connection.in.readable());
        connection.in.clear();
        while (into.size() < length) {
            const std::size_t n =
                co_await connection.stream->read_some(into.writable().subspan(0, length - into.size()));
            if (n == 0) co_return cut(connection, from);
            into.commit(n);
            connection.read_at = std::chrono::steady_clock::now();
        }
        co_return into.readable();
    }
    BodyReader reader(connection, head, from);
    while (!reader.done()) {
        Result<std::string_view> piece = co_await reader.next();
        if (!piece) co_return piece.error();
        if (into.size() + piece->size() > limit) co_return too_large();
        into.append(*piece);
    }
    reader.finish();
    if (into.empty()) into.reserve(1);
    co_return into.readable();
}

void finish_body(Connection& connection, std::string_view body) noexcept {
    if (!body.empty() && body.data() == connection.in.readable().data()) connection.in.consume(body.size());
}

}  // namespace oai::http
