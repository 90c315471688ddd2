#include "gateway/websocket.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/log.hpp"
#include "gateway/reply.hpp"
#include "gateway/resources.hpp"
#include "gateway/stages.hpp"
#include "gateway/worker_state.hpp"
#include "http/sse.hpp"
#include "http/websocket_connection.hpp"
#include "json/edit.hpp"
#include "json/writer.hpp"
#include "net/alarm.hpp"
#include "wire/error_body.hpp"

namespace oai::gateway {

using core::Code;
using core::Error;
using core::Result;
using http::CloseCode;
using http::WebSocket;
using http::WebSocketMessage;
using net::Awaitable;

namespace {

constexpr std::chrono::seconds kFirstMessage{30};
constexpr std::chrono::seconds kBetweenTurns{300};
constexpr std::size_t kLargestMessage = std::size_t{64} << 20;

/// What the client sends, read by a session of its own, one message ahead of the turns: so its leaving is noticed while
/// a turn runs.
class Incoming {
public:
    struct Message {
        std::string text;
        bool is_text = true;
    };

    Incoming(WorkerState& worker, WebSocket& socket) : socket_(socket), came_(worker.net), taken_(worker.net) {}

    /// Reads until the client has left.
    Awaitable<void> run() {
        for (;;) {
            const Result<WebSocketMessage> message = co_await socket_.read();
            if (!message || message->kind == WebSocketMessage::Kind::closed) break;
            waiting_ = Message{std::string(message->payload), message->kind == WebSocketMessage::Kind::text};
            came_.ring();
            // One turn at a time: what follows the next message is not even read, and TCP tells the client to wait.
            while (waiting_ && !stop_) co_await taken_.wait_until(std::chrono::steady_clock::now() + kLook);
            if (stop_) break;
        }
        gone_ = true;
        if (turn_ != nullptr) turn_->close();
        came_.ring();
    }

    /// The next message; none when the client has left, `deadline` passes or the worker drains.
    Awaitable<std::optional<Message>> next(core::TimePoint deadline, const bool& draining) {
        for (;;) {
            const core::TimePoint now = std::chrono::steady_clock::now();
            if (waiting_ || gone_ || draining || now >= deadline) break;
            const core::TimePoint look = std::min(deadline, now + kLook);
            co_await came_.wait_until(look);
        }
        taken_.ring();
        co_return std::exchange(waiting_, std::nullopt);
    }
    bool gone() const noexcept { return gone_; }
    /// No more turns; `run` ends when the client's Close has come, or its stream was closed.
    void stop() {
        stop_ = true;
        taken_.ring();
    }
    Awaitable<void> ended() {
        while (!gone_) co_await came_.wait_until(std::chrono::steady_clock::now() + kLook);
    }
    /// Closed when the client leaves, so that whoever waits for it finds out.
    void watch(net::Stream* turn) noexcept { turn_ = turn; }

private:
    static constexpr std::chrono::seconds kLook{1};

    WebSocket& socket_;
    net::Alarm came_, taken_;
    std::optional<Message> waiting_;
    bool gone_ = false;
    bool stop_ = false;
    net::Stream* turn_ = nullptr;
};

class SocketReply final : public TurnReply {
public:
    SocketReply(WorkerState& worker, WebSocket& socket, Incoming& incoming)
        : TurnReply(worker.net.ids().next() | 1), socket_(socket), incoming_(incoming) {}

    void watch(net::Stream* dependent) noexcept override { incoming_.watch(dependent); }
    bool client_gone() const noexcept override { return incoming_.gone(); }

    Awaitable<Result<void>> write(std::string_view events) override {
        std::vector<std::string> messages;
        bool comment = false;
        http::SseReader reader;
        const Result<void> read = reader.feed(events, [&](const http::SseEvent& event) {
            if (event.is_comment) {
                comment = true;
            } else if (event.data != "[DONE]") {
                messages.emplace_back(event.data);
            }
        });
        if (!read) co_return read.error();
        if (comment) {
            const Result<void> pinged = co_await socket_.ping();
            if (!pinged) co_return left(pinged.error());
        }
        for (const std::string& message : messages) {
            const Result<void> written = co_await socket_.write(message);
            if (!written) co_return left(written.error());
        }
        co_return Result<void>{};
    }

    Awaitable<Result<void>> write_error(int status, std::string_view error_json) override {
        json::Writer out;
        out.begin_object().member("type", "error").member("status", status).key("error").raw(error_json).end_object();
        const std::string message = out.take();
        const Result<void> written = co_await socket_.write(message);
        if (!written) co_return left(written.error());
        co_return written;
    }

private:
    static Error left(const Error& why) {
        return Error{.code = Code::cancelled, .source = core::Source::downstream, .detail = why.detail};
    }

    WebSocket& socket_;
    Incoming& incoming_;
};

/// A `response.create` message as the body of a request: without `type`, and as a stream.
Result<void> take_message(Exchange& x, std::string_view message) {
    static constexpr std::array<std::string_view, 3> names{"type", "stream", "generate"};
    std::array<json::Member, names.size()> found;
    const json::Padded text = x.worker.scanner.copy(message);
    if (Result<void> ok = x.worker.scanner.members(text, names, found); !ok) return ok.error();
    const auto& [type, stream, generate] = found;
    if (type.present() && type.plain_string() != "response.create")
        return Error{.code = Code::invalid_request,
                     .source = core::Source::downstream,
                     .detail = "the message's type must be response.create",
                     .param = "type"};
    x.message = message;
    x.warm_up = generate.boolean() == false;
    std::array<json::Splice, 3> edits{};
    std::size_t count = 0;
    if (!stream.present()) edits[count++] = {json::first_place(text.text), R"("stream":true,)"};
    if (type.present()) edits[count++] = {json::whole_member(text.text, type), {}};
    if (stream.present() && stream.boolean() != true) edits[count++] = {stream.raw, "true"};
    std::sort(edits.begin(), edits.begin() + static_cast<std::ptrdiff_t>(count),
              [](const json::Splice& a, const json::Splice& b) { return a.where.data() < b.where.data(); });
    json::spliced(text.text, std::span<const json::Splice>(edits.data(), count),
                  [&](std::string_view piece) { x.gathered.append(piece); });
    x.body.text = x.gathered.readable();
    return {};
}

/// One turn, from its message to its settled record.
Awaitable<void> take_turn(const Exchange& opening, SocketReply& reply, std::string_view message) {
    const KeptExchange kept(opening.worker, opening.downstream, opening.request, opening.caller);
    Exchange& x = *kept;
    const SettleOnExit settle{x};
    x.stamps.scheduled = x.worker.shared.clock.now();  // its connection read pings, and other turns, meanwhile
    x.turn = &reply;
    x.key = opening.key;
    x.endpoint = wire::endpoint_named("responses");
    x.rest_path = "/responses";
    Result<void> ok = take_message(x, message);
    if (ok) ok = validate(x);
    if (ok && !find_resource(x)) co_await load_resource(x);
    if (ok) ok = select_version(x);
    if (ok) ok = co_await forward(x);
    if (!ok) co_await fail(x, ok.error());
}

/// Turns, until one side has enough. Says with what the conversation ends.
Awaitable<std::pair<CloseCode, std::string_view>> take_turns(const Exchange& opening, SocketReply& reply,
                                                             Incoming& incoming) {
    std::chrono::seconds patience = kFirstMessage;
    for (;;) {
        const std::optional<Incoming::Message> message =
            co_await incoming.next(std::chrono::steady_clock::now() + patience, opening.worker.draining);
        if (!message) {
            if (opening.worker.draining) co_return std::pair(CloseCode::going_away, std::string_view("shutting down"));
            if (incoming.gone()) co_return std::pair(CloseCode::normal, std::string_view{});
            if (patience == kFirstMessage) co_return std::pair(CloseCode::policy, std::string_view("no message came"));
            co_return std::pair(CloseCode::normal, std::string_view("idle for too long"));
        }
        if (!message->is_text) co_return std::pair(CloseCode::unsupported, std::string_view("send text messages"));
        co_await take_turn(opening, reply, message->text);
        patience = kBetweenTurns;
    }
}

}  // namespace

Awaitable<Result<void>> hold_conversation(Exchange& opening) {
    opening.reply.keep = false;
    if (const std::optional<http::UpgradeRefusal> refusal = http::refuse_websocket(opening.request)) {
        const Error error{
            .code = Code::invalid_request, .source = core::Source::downstream, .detail = std::string(refusal->detail)};
        account_failure(opening, error);
        PlainReply reply = error_reply(error, true);
        reply.status = refusal->status;
        if (refusal->status == 426) reply.headers = http::kUpgradeRequiredFields;
        reply.head_only = opening.request.method == "HEAD";
        opening.reply.started = true;
        opening.reply.status = refusal->status;
        co_await send_plain(opening.worker, opening.downstream, reply);
        co_return Result<void>{};
    }
    const std::string fields = "x-request-id: " + std::string(opening.id.view()) + "\r\n";
    // A message packs alone: contexts would hold 300 KiB for each client that thinks.
    const std::optional<http::Deflate> deflate =
        http::Deflate{.client = {.context_takeover = false}, .server = {.context_takeover = false}};
    Result<std::optional<http::Deflate>> accepted =
        co_await http::accept_websocket(opening.downstream, opening.request, deflate, fields);
    if (!accepted) co_return accepted.error();
    opening.reply.started = true;
    leave_uncounted(opening);

    const WebSocket::Options options{
        .role = http::WebSocketRole::server, .deflate = *accepted, .max_message_bytes = kLargestMessage};
    WebSocket socket(opening.downstream, options);
    Incoming incoming(opening.worker, socket);
    SocketReply reply(opening.worker, socket, incoming);
    opening.worker.net.spawn(incoming.run());
    const std::pair<CloseCode, std::string_view> end = co_await take_turns(opening, reply, incoming);
    incoming.stop();
    if (!incoming.gone()) co_await socket.close(end.first, end.second);
    co_await incoming.ended();
    opening.downstream.stream->close();
    if (!reply.pinned_to.empty()) co_await opening.worker.sockets.end(reply.conversation);
    co_return Result<void>{};
}

}  // namespace oai::gateway
