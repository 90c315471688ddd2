#include <algorithm>
#include <array>
#include <utility>

#include "core/log.hpp"
#include "gateway/event_reply.hpp"
#include "gateway/forward.hpp"
#include "gateway/request_head.hpp"
#include "gateway/worker_state.hpp"
#include "http/websocket_connection.hpp"
#include "json/edit.hpp"
#include "wire/model_edit.hpp"

// One try at one account by a WebSocket of the upstream's: the client's message out, the events of its answer back.
namespace oai::gateway {

using core::Code;
using core::Error;
using core::Result;
using http::CloseCode;
using http::WebSocketMessage;
using net::Awaitable;
using upstream::UpstreamSocket;

namespace {

Error upstream_error(Code code, std::string detail) {
    return Error{.code = code, .source = core::Source::upstream, .retryable = true, .detail = std::move(detail)};
}

/// The client's message as the upstream gets it: with its type, and the model by the upstream's name. Everything else
/// arrives as it was sent.
std::string outgoing_message(Exchange& x) {
    static constexpr std::array<std::string_view, 2> names{"type", "model"};
    std::array<json::Member, names.size()> found;
    const json::Padded text = x.worker.scanner.copy(x.message);
    const Result<void> read = x.worker.scanner.members(text, names, found);
    if (!read) return std::string(x.message);  // it was read before: this does not happen
    const auto& [type, model] = found;
    std::string mapped;
    std::array<json::Splice, 2> splices{};
    std::size_t count = 0;
    if (!type.present()) splices[count++] = {json::first_place(text.text), R"("type":"response.create",)"};
    if (x.is_mapped() && model.present()) {
        mapped = wire::quoted_model(x.selection.upstream_model);
        splices[count++] = {model.raw, mapped};
    }
    std::string message;
    json::spliced(text.text, std::span<const json::Splice>(splices.data(), count),
                  [&](std::string_view piece) { message += piece; });
    return message;
}

/// An upstream's messages as a stream of events, so that they are read, held back and passed on like those over HTTP.
class SocketEvents final : public EventSource {
public:
    SocketEvents(Exchange& x, http::WebSocket& socket) : x_(x), socket_(socket) {}

    Awaitable<Result<std::string_view>> next() override {
        const Result<WebSocketMessage> message = co_await socket_.read();
        if (!message) co_return message.error();
        woken_ = message->kind == WebSocketMessage::Kind::nothing;
        if (woken_) co_return std::string_view{};
        if (message->kind == WebSocketMessage::Kind::closed) co_return closed();
        if (message->kind != WebSocketMessage::Kind::text)
            co_return upstream_error(Code::upstream_malformed, "the upstream sent a message that is no text");
        if (message->payload.substr(0, kTypeWithin).find("\"error\"") != std::string_view::npos)
            read_status(message->payload);
        if (wire::refusal_of_status(status_) == wire::Refusal::credential) {
            // Nothing the client can mend, and the text may name the account.
            x_.attempt().refusal = wire::Refusal::credential;
            co_return upstream_error(Code::upstream_error, "the upstream refused the gateway's credential");
        }
        frame(message->payload);
        co_return std::string_view(event_);
    }
    bool woken() const noexcept override { return woken_; }
    bool outlives_stream() const noexcept override { return true; }
    int status() const noexcept override { return status_; }

private:
    /// Where the type of an event stands: only a message that says "error" there is looked into.
    static constexpr std::size_t kTypeWithin = 64;

    void read_status(std::string_view message) {
        static constexpr std::array<std::string_view, 2> names{"type", "status"};
        std::array<json::Member, names.size()> found;
        const json::Padded text = x_.worker.scanner.copy(message);
        if (!x_.worker.scanner.members(text, names, found) || found[0].plain_string() != "error") return;
        const std::optional<std::int64_t> status = found[1].integer();
        if (status && *status >= 400 && *status <= 599) status_ = static_cast<int>(*status);
    }

    /// A line break in JSON is a blank between two tokens; in an event it begins the next line of data.
    void frame(std::string_view message) {
        event_ = "data: ";
        for (;;) {
            const std::size_t line = std::min(message.find_first_of("\r\n"), message.size());
            event_ += message.substr(0, line);
            if (line == message.size()) break;
            event_ += "\ndata: ";
            message.remove_prefix(line + 1);
        }
        event_ += "\n\n";
    }

    /// The upstream has closed before the end of the turn.
    Error closed() {
        const CloseCode code = socket_.peer_close_code().value_or(CloseCode::none);
        switch (code) {
            case CloseCode::try_again_later: x_.attempt().refusal = wire::Refusal::overloaded; break;
            case CloseCode::internal: x_.attempt().refusal = wire::Refusal::server; break;
            case CloseCode::policy: x_.attempt().refusal = wire::Refusal::request; break;
            case CloseCode::too_big:
                return Error{.code = Code::payload_too_large,
                             .source = core::Source::downstream,
                             .detail = "the message is larger than the upstream takes"};
            default:
                return upstream_error(Code::upstream_truncated, "the upstream closed before the end of its answer");
        }
        return upstream_error(Code::upstream_error, "the upstream closed its WebSocket with code " +
                                                        std::to_string(static_cast<unsigned>(code)));
    }

    Exchange& x_;
    http::WebSocket& socket_;
    std::string event_;
    bool woken_ = false;
    int status_ = 200;
};

/// A WebSocket, or the answer of an upstream that refused one.
struct Found {
    std::unique_ptr<UpstreamSocket> socket;
    std::unique_ptr<http::Connection> refused;
};

/// What the handshake says.
struct Greeting {
    std::string target;
    std::string fields;

    std::string text() const { return target + "\n" + fields; }
};

Greeting make_greeting(const Exchange& x, const upstream::Account& account, std::string_view credential) {
    const OutgoingHead head{.client = x.request,
                            .account = account,
                            .credential = credential,
                            .turn = true,
                            .rest_path = x.rest_path,
                            .model = x.selection.upstream_model,
                            .dropped = x.tables->drop_headers};
    Greeting greeting;
    append_target(greeting.target, head);
    append_fields(greeting.fields, head);
    return greeting;
}

Awaitable<Result<Found>> open_socket(Exchange& x, const upstream::Account& account, Greeting greeting) {
    Result<std::unique_ptr<http::Connection>> opened = co_await open_upstream(x, account);
    if (!opened) co_return opened.error();
    Found found{.socket = nullptr, .refused = std::move(*opened)};
    http::Connection& connection = *found.refused;
    connection.stream->set_deadline(first_output_deadline(x));
    const ClientWatch watch(x, *connection.stream);
    // A message packs alone: contexts would hold 300 KiB for each socket that rests.
    const http::WebSocketRequest request{
        .authority = account.target.authority,
        .target = greeting.target,
        .more_fields = greeting.fields,
        .deflate = http::Deflate{.client = {.context_takeover = false}, .server = {.context_takeover = false}}};
    const Result<std::optional<http::Deflate>> agreed = co_await http::open_websocket(connection, request);
    if (agreed) {
        std::unique_ptr<http::Connection> upgraded = std::move(found.refused);
        found.socket = std::make_unique<UpstreamSocket>(account, greeting.text(), std::move(upgraded), *agreed);
        co_return found;
    }
    if (client_gone(x)) co_return client_left();
    if (agreed.error().code != Code::upstream_error) co_return agreed.error();
    co_return found;
}

/// The conversation's own socket, else one that is kept for everybody, else a fresh one. With an OAuth account whose
/// token was refused, another one is asked for, once.
Awaitable<Result<Found>> find_socket(Exchange& x, const upstream::Account& account) {
    upstream::WebSocketPool& pool = x.worker.sockets;
    co_await pool.until_checked(x.turn->conversation);
    Found kept;
    kept.socket = pool.take_pinned(account, x.turn->conversation);
    if (kept.socket) co_return kept;
    for (bool first = true;; first = false) {
        std::string token, credential = account.credential;
        if (account.tokens) {
            const Result<std::string> got = co_await access_token(x, account);
            if (!got) co_return got.error();
            token = *got;
            credential = bearer_line(token);
        }
        Greeting greeting = make_greeting(x, account, credential);
        kept.socket = pool.take(account, greeting.text());
        if (kept.socket) co_return kept;
        Result<Found> opened = co_await open_socket(x, account, std::move(greeting));
        const bool unknown = opened && opened->refused && opened->refused->response_head().status == 401;
        if (!unknown || !first || !account.tokens || !account.tokens->invalidate(token)) co_return opened;
        opened->refused->stream->close();
    }
}

/// An answer that is no upgrade. One that is about this account, or this moment, is an answer like any other; else the
/// upstream has no WebSocket, and the turn goes over HTTP.
Awaitable<Result<void>> go_without(Exchange& x, const upstream::Account& account,
                                   std::unique_ptr<http::Connection> refused) {
    constexpr int kNotImplemented = 501;
    const int status = refused->response_head().status;
    const wire::Refusal refusal = wire::refusal_of_status(status);
    const bool about_upgrades =
        refusal == wire::Refusal::none || refusal == wire::Refusal::request || status == kNotImplemented;
    if (!about_upgrades) co_return co_await relay_answer(x, std::move(refused));
    refused->stream->close();
    const std::string status_text = std::to_string(status);
    if (x.worker.sockets.bridge(account, x.worker.shared.clock.now()))
        core::log(core::LogLevel::warn, "an upstream refuses WebSockets: turns go to it over HTTP",
                  {{"account", account.name}, {"status", status_text}});
    co_return co_await try_http(x, account);
}

Awaitable<Result<void>> run_turn(Exchange& x, UpstreamSocket& upstream, std::string_view message) {
    net::Stream& stream = *upstream.connection->stream;
    stream.set_deadline(first_output_deadline(x));
    std::optional<ClientWatch> watch;
    if (!x.tables->stream.drain_when_gone) watch.emplace(x, stream);
    Result<void> done = co_await upstream.socket.write(message);
    if (!done) {
        done.error().retryable = !x.reply.committed;
        co_return done;
    }
    x.stamps.sent = x.worker.shared.clock.now();
    begin_events(x, nullptr);
    SocketEvents events(x, upstream.socket);
    done = co_await relay_events(x, *upstream.connection, events, {});
    x.stamps.first_byte = x.stamps.first_event;
    co_return done;
}

/// After an answer: the socket may carry another turn, unless the answer was a failure of the upstream's. A refusal
/// that is the request's own leaves what the socket remembers as it was.
void keep_socket(Exchange& x, const upstream::Account& account, std::unique_ptr<UpstreamSocket> socket) {
    const wire::Refusal refusal = x.attempt().refusal;
    const bool pinned = socket->conversation != 0 || !x.body.store;
    if (refusal != wire::Refusal::none && !(pinned && refusal == wire::Refusal::request)) return;
    if (pinned) {
        socket->conversation = x.turn->conversation;
        x.turn->pinned_to = account.name;
    }
    x.worker.sockets.give(std::move(socket));
}

}  // namespace

Awaitable<Result<void>> try_socket(Exchange& x, const upstream::Account& account) {
    const std::string message = outgoing_message(x);
    for (;;) {
        Result<Found> found = co_await find_socket(x, account);
        if (!found) {
            // Nothing of an answer came: with an account left, nobody has to know.
            found.error().retryable = found.error().source == core::Source::upstream;
            co_return found.error();
        }
        std::unique_ptr<http::Connection> refused = std::move(found->refused);
        if (refused) co_return co_await go_without(x, account, std::move(refused));
        std::unique_ptr<UpstreamSocket> socket = std::move(found->socket);
        const Result<void> done = co_await run_turn(x, *socket, message);
        if (done) {
            keep_socket(x, account, std::move(socket));
            co_return done;
        }
        net::Stream& stream = *socket->connection->stream;
        stream.close();
        if (client_gone(x)) co_return client_left();
        // Kept sockets may have been closed meanwhile; each is tried once, then a fresh one decides.
        const bool again = done.error().code == Code::upstream_truncated && done.error().retryable && socket->reused &&
                           !x.stamps.first_event && !x.next;
        if (!again || x.worker.net.stopping()) co_return done;
    }
}

}  // namespace oai::gateway
