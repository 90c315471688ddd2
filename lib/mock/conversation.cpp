#include <algorithm>
#include <chrono>
#include <utility>

#include "http/sse.hpp"
#include "json/writer.hpp"
#include "mock/session.hpp"

// Responses over WebSocket: each message is a request like the body of a POST, and the events of its stream are
// messages.

namespace oai::mock {

using core::Result;
using http::WebSocket;
using http::WebSocketMessage;
using net::Awaitable;

namespace {

/// As long as the real one lets a connection live.
constexpr std::chrono::minutes kLongestConversation{60};

/// An answer that is no stream, as the one event of one.
std::string as_event(std::string body, int status, json::Scanner& scanner) {
    const json::Member error = scanner.find(scanner.copy(body), {"error"});
    if (error.present()) {
        json::Writer out;
        out.begin_object().member("type", "error").member("status", status == 200 ? 500 : status);
        out.key("error").raw(error.raw).end_object();
        body = out.take();
    }
    std::replace(body.begin(), body.end(), '\n', ' ');
    return "data: " + body + "\n\n";
}

}  // namespace

bool Session::asks_for_conversation(const http::RequestHead& head) {
    if (head.method != "GET" || head.fields.find("upgrade") == nullptr || !shard_.current().websocket) return false;
    const RouteMatch turn = find_route("POST", head.path);
    return turn.route != nullptr && turn.route->format == responses_format;
}

Awaitable<bool> Session::converse(const http::RequestHead& head) {
    match_ = find_route("POST", head.path);
    received_ = std::max(connection_.read_at, ended_);
    Verdict refusal = check_head(head);
    if (const std::optional<http::UpgradeRefusal> wrong = http::refuse_websocket(head); wrong && !refusal)
        refusal = Refusal{.status = wrong->status, .message = std::string(wrong->detail)};
    if (refusal) {
        begin_record();
        begin_answer();
        if (receipt_) shard_.shared->received->add(receipt_->finish(record_.number));
        render_refusal(*refusal);
        const bool complete = co_await play();
        finish_record(complete);
        co_return complete&& keep_ && !shard_.stopping;
    }
    const std::optional<http::Deflate> most = http::Deflate{};
    const Result<std::optional<http::Deflate>> agreed = co_await http::accept_websocket(connection_, head, most);
    if (!agreed) co_return false;
    const WebSocket::Options options{
        .role = http::WebSocketRole::server, .deflate = *agreed, .max_message_bytes = std::size_t{64} << 20};
    WebSocket socket(connection_, options);
    socket_ = &socket;
    co_await take_turns(head);
    socket_ = nullptr;
    stream().close();
    co_return false;
}

Awaitable<void> Session::take_turns(const http::RequestHead& head) {
    socket_->set_deadline(std::chrono::steady_clock::now() + kLongestConversation);
    for (;;) {
        const Result<WebSocketMessage> message = co_await socket_->read();
        if (!message || message->kind != WebSocketMessage::Kind::text) break;
        const bool goes_on = co_await take_turn(head, message->payload);
        if (!goes_on || shard_.stopping) break;
    }
}

Awaitable<bool> Session::take_turn(const http::RequestHead& head, std::string_view message) {
    received_ = std::max(connection_.read_at, ended_);
    if (const Received* received = shard_.shared->received.get()) {
        receipt_.emplace(head, received->kept_bytes());
        receipt_->add_body(message);
    }
    if (const Verdict refusal = understand(head, message)) render_refusal(*refusal);
    plan_.gzip = false;  // messages have their own way
    if (!streams_) body_ = as_event(std::move(body_), status_, shard_.scanner);
    const bool complete = co_await play();
    finish_record(complete);
    co_return complete;
}

Awaitable<bool> Session::flush_messages() {
    std::vector<std::string> messages;
    unsigned pings = 0;
    http::SseReader reader;
    // The beginning of an event that a fault cuts is dropped: a frame is whole, or it is no message.
    const Result<void> read = reader.feed(body_, [&](const http::SseEvent& event) {
        if (event.is_comment) {
            ++pings;
        } else {
            messages.emplace_back(event.data);
        }
    });
    head_.clear();
    body_.clear();
    if (!read) co_return false;
    stamp();
    for (; pings != 0; --pings) {
        const Result<void> pinged = co_await socket_->ping();
        if (!pinged) co_return false;
    }
    for (const std::string& message : messages) {
        const Result<void> written = co_await socket_->write(message);
        if (!written) co_return false;
        record_.bytes += message.size();
    }
    co_return true;
}

}  // namespace oai::mock
