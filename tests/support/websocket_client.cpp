#include "support/websocket_client.hpp"

#include <chrono>
#include <memory>

#include "http/websocket_connection.hpp"
#include "json/value.hpp"
#include "net/connect.hpp"
#include "net/worker.hpp"

namespace oai::test {

using core::Result;
using http::WebSocket;
using http::WebSocketMessage;
using net::Awaitable;

namespace {

std::string with_last_id(std::string text, const Conversation& c) {
    const std::size_t place = text.find("{id}");
    if (place == std::string::npos || c.heard.empty() || c.heard.back().empty()) return text;
    const Result<json::Value> last = json::Value::parse(c.heard.back().back());
    const json::Value* id = last ? last->find_path("response.id") : nullptr;
    return text.replace(place, 4, id == nullptr ? "" : id->as_string().value_or(""));
}

/// False when the conversation is over.
Awaitable<bool> say(WebSocket& socket, Conversation& c, std::string text) {
    Result<void> written;
    if (text.starts_with("binary:")) {
        written = co_await socket.write_binary(text);
    } else {
        written = co_await socket.write(text);
    }
    if (!written) co_return false;
    c.heard.emplace_back();
    std::vector<std::string>& heard = c.heard.back();
    for (;;) {
        if (heard.size() >= c.leave_after) co_return false;
        const Result<WebSocketMessage> message = co_await socket.read();
        if (!message || message->kind == WebSocketMessage::Kind::closed) co_return false;
        heard.emplace_back(message->payload);
        if (is_end(message->payload)) co_return true;
    }
}

Awaitable<void> converse(http::Connection& connection, Conversation& c) {
    const std::optional<http::Deflate> offered = http::Deflate{};
    const http::WebSocketRequest request{
        .authority = "127.0.0.1", .target = "/v1/responses", .more_fields = c.fields, .deflate = offered};
    const Result<std::optional<http::Deflate>> agreed = co_await http::open_websocket(connection, request);
    c.status = connection.response_head().status;
    if (!agreed) {
        c.failed = agreed.error().detail;
        co_return;
    }
    c.opened = true;
    const WebSocket::Options options{.role = http::WebSocketRole::client, .deflate = *agreed};
    WebSocket socket(connection, options);
    bool goes_on = true;
    for (std::size_t i = 0; goes_on && i < c.say.size(); ++i) {
        std::string text = with_last_id(c.say[i], c);
        goes_on = co_await say(socket, c, std::move(text));
    }
    const bool leaves = !c.heard.empty() && c.heard.back().size() >= c.leave_after;
    if (!leaves && !socket.closing()) co_await socket.close(http::CloseCode::normal);
    c.closed = socket.peer_close_code();
    c.close_reason = socket.peer_close_reason();
}

Awaitable<void> run(net::Worker& worker, std::uint16_t port, Conversation& c) {
    const core::TimePoint deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    const net::Destination to{.host = "127.0.0.1", .port = port, .proxy = nullptr};
    Result<std::unique_ptr<net::Stream>> stream = co_await net::connect(worker, to, deadline);
    if (stream) {
        http::Connection connection(worker, std::move(*stream));
        connection.stream->set_deadline(deadline);
        co_await converse(connection, c);
        connection.stream->close();
    }
    worker.stop();
}

}  // namespace

void hold(std::uint16_t port, Conversation& conversation) {
    net::Worker worker("client");
    worker.spawn(run(worker, port, conversation));
    worker.run();
}

bool is_end(std::string_view message) {
    for (const std::string_view type : {"response.completed", "response.incomplete", "response.failed", "response.done",
                                        "response.cancelled", "error"}) {
        if (message.starts_with("{\"type\":\"" + std::string(type) + "\"")) return true;
    }
    return false;
}

}  // namespace oai::test
