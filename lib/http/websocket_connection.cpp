#include "http/websocket_connection.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "crypto/random.hpp"

namespace oai::http {

using core::Code;
using core::Error;
using core::Result;
using net::Awaitable;

namespace {

/// How the peer packs, and how we do.
std::optional<DeflateSide> side_of(const std::optional<Deflate>& deflate, bool client) noexcept {
    if (!deflate) return std::nullopt;
    return client ? deflate->client : deflate->server;
}

/// Room that a frame gets on its word alone; beyond it, as much again as has arrived.
constexpr std::size_t kTrustedBytes = std::size_t{256} * 1024;
/// Masks are drawn in bulk: a system call for each would cost more than a short message.
constexpr std::size_t kMasksAtOnce = 64;

}  // namespace

Awaitable<Result<std::optional<Deflate>>> accept_websocket(Connection& connection, const RequestHead& request,
                                                           const std::optional<Deflate>& most,
                                                           std::string_view more_fields) {
    std::optional<AcceptedDeflate> accepted;
    if (most) accepted = accept_deflate(request.fields, *most);
    connection.scratch.clear();
    write_websocket_answer(connection.scratch, request.fields.value("sec-websocket-key"),
                           accepted ? std::string_view(accepted->answer) : std::string_view{}, more_fields);
    const net::Pieces pieces{connection.scratch};
    const bool written = co_await connection.stream->write(pieces);
    if (!written)
        co_return Error{.code = Code::cancelled,
                        .source = core::Source::downstream,
                        .detail = "the client closed while its WebSocket was being opened"};
    if (!accepted) co_return std::optional<Deflate>{};
    co_return std::optional<Deflate>(accepted->agreed);
}

Awaitable<Result<std::optional<Deflate>>> open_websocket(Connection& connection, const WebSocketRequest& request) {
    const std::string key = new_websocket_key();
    connection.scratch.clear();
    write_websocket_request(connection.scratch, request, key);
    const net::Pieces pieces{connection.scratch};
    const bool written = co_await connection.stream->write(pieces);
    if (!written)
        co_return Error{.code = connection.stream->timed_out() ? Code::upstream_timeout : Code::upstream_truncated,
                        .source = core::Source::upstream,
                        .retryable = true,
                        .detail = "the request for a WebSocket could not be sent"};
    ResponseHead& answer = connection.response_head();
    const Result<void> read = co_await read_response_head(connection, "GET", answer);
    if (!read) co_return read.error();
    if (answer.status != 101)
        co_return Error{
            .code = Code::upstream_error,
            .source = core::Source::upstream,
            .detail = "the upstream answered " + std::to_string(answer.status) + " to the request for a WebSocket"};
    co_return check_websocket_answer(answer, request, key);
}

WebSocket::WebSocket(Connection& connection, Options options)
    : connection_(connection),
      options_(options),
      reader_(connection.stream->worker().buffers(),
              {.role = options.role,
               .peer_packs = side_of(options.deflate, options.role == WebSocketRole::server),
               .max_message_bytes = options.max_message_bytes}),
      turn_(connection.stream->worker().executor(), core::TimePoint::max()),
      out_(connection.stream->worker().buffers()) {
    if (const auto own = side_of(options.deflate, options.role == WebSocketRole::client)) deflater_.emplace(*own);
}

void WebSocket::set_deadline(core::TimePoint at) noexcept {
    if (!closing()) connection_.stream->set_deadline(at);
}

Awaitable<Result<WebSocketMessage>> WebSocket::read() {
    reading_ = true;
    Result<WebSocketMessage> message = co_await read_message();
    reading_ = false;
    co_return message;
}

Awaitable<Result<WebSocketMessage>> WebSocket::read_message() {
    using Status = WebSocketReader::Status;
    net::Buffer& in = connection_.in;
    in.consume(std::exchange(used_, 0));
    while (!peer_close_code_) {
        const WebSocketReader::Step step = reader_.next({in.data(), in.size()});
        switch (step.status) {
            case Status::text:
            case Status::binary: {
                used_ = step.consumed;
                const auto kind =
                    step.status == Status::text ? WebSocketMessage::Kind::text : WebSocketMessage::Kind::binary;
                co_return WebSocketMessage{kind, step.payload};
            }
            case Status::ping: {
                const Result<void> sent = co_await send(Opcode::pong, step.payload);
                if (!sent && !closing()) co_return sent.error();
                break;
            }
            case Status::pong: {
                pong_at_ = connection_.read_at;
                if (!awaits_pong_) break;
                used_ = step.consumed;
                co_return WebSocketMessage{WebSocketMessage::Kind::nothing};
            }
            case Status::close: {
                const CloseReason reason = read_close(step.payload);
                peer_close_reason_ = reason.text;
                co_await send_close(reason.code, {});
                peer_close_code_ = reason.code;
                break;
            }
            case Status::malformed: {
                peer_close_code_ = CloseCode::abnormal;
                co_await send_close(reader_.close_code(), reader_.error().detail);
                co_return reader_.error();
            }
            case Status::need_more: {
                in.consume(step.consumed);
                // A peer that rests keeps no large block; one that announces much gets room as it delivers.
                if (in.empty()) in.release();
                if (const std::size_t missing = reader_.missing(); missing != 0)
                    in.reserve(std::min(missing, std::max(kTrustedBytes, in.size())));
                const std::size_t n = co_await connection_.read_more();
                if (connection_.got(n)) continue;
                const bool woken = connection_.stream->take_woken();
                // A wake and the deadline may come with one look of the sweep: then it is late, and not to be tried
                // again.
                if (woken && !connection_.stream->timed_out())
                    co_return WebSocketMessage{WebSocketMessage::Kind::nothing};
                peer_close_code_ = CloseCode::abnormal;
                if (close_sent_) co_return WebSocketMessage{};
                co_return broken("the peer left without a Close");
            }
        }
        in.consume(step.consumed);
    }
    co_return WebSocketMessage{};
}

Awaitable<Result<void>> WebSocket::write(std::string_view text) {
    return send(Opcode::text, text);
}

Awaitable<Result<void>> WebSocket::write_binary(std::string_view bytes) {
    return send(Opcode::binary, bytes);
}

Awaitable<Result<void>> WebSocket::ping(std::string_view payload) {
    return send(Opcode::ping, payload);
}

Awaitable<bool> WebSocket::alive(std::chrono::nanoseconds patience) {
    set_deadline(std::chrono::steady_clock::now() + patience);
    awaits_pong_ = true;
    const Result<void> pinged = co_await ping();
    Result<WebSocketMessage> answer = WebSocketMessage{};
    if (pinged) answer = co_await read();
    awaits_pong_ = false;
    set_deadline(net::Stream::kNever);
    co_return answer && answer->kind == WebSocketMessage::Kind::nothing;
}

bool WebSocket::rest() noexcept {
    connection_.in.consume(std::exchange(used_, 0));
    if (!connection_.in.empty()) return false;
    connection_.in.release();
    return reader_.between_messages() && !closing();
}

Awaitable<void> WebSocket::close(CloseCode code, std::string_view reason) {
    co_await send_close(code, reason);
    while (!reading_ && !peer_close_code_) {
        const Result<WebSocketMessage> dropped = co_await read();
        if (!dropped) break;
    }
}

Awaitable<void> WebSocket::send_close(CloseCode code, std::string_view reason) {
    if (close_sent_) co_return;
    // From here on, whoever waits for this connection waits no longer than that.
    connection_.stream->set_deadline(std::chrono::steady_clock::now() + options_.close_patience);
    close_sent_ = true;
    std::array<char, kMaxControlPayload> payload{};
    const std::size_t size = may_be_sent(code) ? write_close(payload.data(), {code, reason}) : 0;
    const std::string_view bytes(payload.data(), size);
    const Result<void> sent = co_await send(Opcode::close, bytes);
    if (!sent) connection_.stream->close();
}

Awaitable<Result<void>> WebSocket::send(Opcode opcode, std::string_view payload) {
    if (opcode != Opcode::close && closing()) {
        Error error = broken("it is closing");
        error.retryable = true;
        co_return error;
    }
    if (std::exchange(sending_, true)) co_await wait_for_turn();
    const bool sent = co_await connection_.stream->write(make_frame(opcode, payload));
    end_turn();
    if (!sent) co_return broken("the peer is gone");
    co_return Result<void>{};
}

Awaitable<void> WebSocket::wait_for_turn() {
    ++waiting_;
    boost::system::error_code woken;
    co_await turn_.async_wait(net::use_awaitable(woken));
}

/// Hands the turn to the next in line: `sending_` stays true meanwhile, so nobody can slip in between.
void WebSocket::end_turn() noexcept {
    out_.release();
    if (waiting_ == 0) {
        sending_ = false;
    } else {
        --waiting_;
        turn_.cancel_one();
    }
}

net::Pieces WebSocket::make_frame(Opcode opcode, std::string_view payload) {
    const bool client = options_.role == WebSocketRole::client;
    const bool packed =
        deflater_ && (opcode == Opcode::text || opcode == Opcode::binary) && payload.size() >= options_.pack_from_bytes;
    if (packed) {
        deflater_->pack(payload, out_);
    } else if (client) {
        out_.append(payload);
    }
    if (packed || client) payload = out_.readable();
    std::optional<MaskKey> mask;
    if (client) {
        mask = next_mask();
        apply_mask({out_.data(), out_.size()}, *mask);
    }
    const std::size_t size = write_frame_header(header_.data(), opcode, payload.size(), mask, packed);
    return {std::string_view(header_.data(), size), payload};
}

MaskKey WebSocket::next_mask() {
    if (masks_.empty()) masks_ = crypto::random_bytes(kMasksAtOnce * sizeof(MaskKey));
    MaskKey key = 0;
    std::memcpy(&key, masks_.data() + masks_.size() - sizeof key, sizeof key);
    masks_.resize(masks_.size() - sizeof key);
    return key;
}

Error WebSocket::broken(std::string_view what) const {
    const bool upstream = options_.role == WebSocketRole::client;
    const bool late = connection_.stream->timed_out();
    Error error;
    error.source = upstream ? core::Source::upstream : core::Source::downstream;
    error.code = upstream ? (late ? Code::upstream_timeout : Code::upstream_truncated)
                          : (late ? Code::request_timeout : Code::cancelled);
    error.detail.assign("WebSocket: ").append(late ? "nothing came in time" : what);
    return error;
}

}  // namespace oai::http
