#include <algorithm>
#include <array>

#include "core/log.hpp"
#include "gateway/event_reply.hpp"
#include "gateway/forward.hpp"
#include "gateway/request_head.hpp"
#include "gateway/resources.hpp"
#include "gateway/worker_state.hpp"
#include "json/edit.hpp"
#include "json/writer.hpp"
#include "wire/model_edit.hpp"
#include "wire/usage_edit.hpp"

// One try at one account, from its connection to the last byte of its answer.
namespace oai::gateway {

using core::Code;
using core::Error;
using core::Result;
using net::Awaitable;
using net::Stream;

namespace {

core::TimePoint total_deadline(const Exchange& x) noexcept {
    return deadline_after(x.tables->timeouts.total, x.stamps.scheduled);
}

/// What of a body is changed on its way out. Everything else arrives as it was sent.
struct Edits {
    std::array<json::Splice, 3> splices{};
    std::size_t count = 0;

    std::span<const json::Splice> all() const noexcept { return {splices.data(), count}; }
    void add(json::Splice splice) noexcept { splices[count++] = splice; }
};

void make_edits(Exchange& x, Edits& edits) {
    const bool json = x.endpoint->body == wire::BodyTreatment::json && !x.body.text.empty();
    std::string& name = x.downstream.edit;
    name.clear();
    if (x.body.model.present() && x.is_mapped()) {
        json::append_quoted(name, x.selection.upstream_model);
        edits.add({x.body.model.raw, name});
    } else if (!x.body.form_model.empty() && x.is_mapped()) {
        edits.add({x.body.form_model, x.selection.upstream_model});
    } else if (json && !x.deployment.empty() && !x.body.model.present()) {
        // The path named it, and the body does not.
        name = "\"model\":";
        json::append_quoted(name, x.selection.upstream_model);
        name += ',';
        edits.add({json::first_place(x.body.text), name});
    }
    x.hide_usage = false;
    if (x.endpoint->terminal == wire::Terminal::chat && x.body.stream && x.selection.version->ask_for_usage) {
        if (const auto splice = wire::ask_for_usage(x.body.text, x.body.stream_options, x.worker.scanner)) {
            edits.add(*splice);
            x.hide_usage = true;
        }
    }
    std::sort(edits.splices.begin(), edits.splices.begin() + static_cast<std::ptrdiff_t>(edits.count),
              [](const json::Splice& a, const json::Splice& b) { return a.where.data() < b.where.data(); });
}

bool goes_in_chunks(const Exchange& x) noexcept {
    return x.body.rest != nullptr && x.request.body == http::BodyFraming::chunked;
}

/// How many bytes of body go out; none for a request without one.
std::optional<std::uint64_t> body_bytes(const Exchange& x, const Edits& edits) noexcept {
    if (x.body.rest != nullptr)
        return x.request.content_length - x.body.text.size() + json::spliced_size(x.body.text, edits.all());
    if (x.body.text.empty() && x.request.body == http::BodyFraming::none && x.request.method != "POST" &&
        x.request.method != "PUT" && x.request.method != "PATCH")
        return std::nullopt;
    return json::spliced_size(x.body.text, edits.all());
}

/// The rest of a body, as it comes from the client. True when the upstream took all of it; false when it stopped
/// reading: then it may have answered already.
Awaitable<Result<bool>> send_rest(Exchange& x, http::Connection& upstream) {
    http::BodyReader& rest = *x.body.rest;
    const bool chunked = goes_in_chunks(x);
    std::uint64_t sent = x.body.text.size();
    for (;;) {
        x.downstream.stream->set_deadline(deadline_after(x.tables->timeouts.request_body, x.worker.shared.clock.now()));
        const Result<std::string_view> piece = co_await rest.next();
        x.downstream.stream->set_deadline(Stream::kNever);
        if (!piece) co_return piece.error();
        sent += piece->size();
        if (sent > x.tables->max_body_bytes)
            co_return Error{.code = Code::payload_too_large,
                            .source = core::Source::downstream,
                            .detail = "the body is larger than " + std::to_string(x.tables->max_body_bytes) + " bytes"};
        std::array<char, http::kMaxChunkHeader> header{};
        net::Pieces pieces;
        if (chunked && !piece->empty())
            pieces.add(std::string_view(header.data(), http::write_chunk_header(header.data(), piece->size())));
        pieces.add(*piece);
        if (chunked) pieces.add(piece->empty() ? http::kLastChunk : http::kChunkEnd);
        if (!pieces.empty()) {
            upstream.stream->set_deadline(deadline_after(x.tables->timeouts.idle, x.worker.shared.clock.now()));
            const bool written = co_await upstream.stream->write(pieces);
            if (!written) co_return false;
        }
        if (piece->empty()) co_return true;
    }
}

/// The head, and what of the body is here.
net::Pieces render_request(Exchange& x, http::Connection& upstream, const upstream::Account& account,
                           std::string_view credential, const Edits& edits) {
    const bool chunked = goes_in_chunks(x);
    write_request_head(upstream.scratch, OutgoingHead{.client = x.request,
                                                      .account = account,
                                                      .credential = credential,
                                                      .turn = x.turn != nullptr,
                                                      .rest_path = x.rest_path,
                                                      .model = x.selection.upstream_model,
                                                      .azure_style = x.request.path.starts_with("/openai/"),
                                                      .body_bytes = body_bytes(x, edits),
                                                      .chunked = chunked,
                                                      .dropped = x.tables->drop_headers});
    const bool framed = chunked && !x.body.text.empty();
    if (framed) {
        std::array<char, http::kMaxChunkHeader> header{};
        const std::size_t size = json::spliced_size(x.body.text, edits.all());
        upstream.scratch.append(header.data(), http::write_chunk_header(header.data(), size));
    }
    net::Pieces pieces{upstream.scratch};
    json::spliced(x.body.text, edits.all(), [&](std::string_view piece) { pieces.add(piece); });
    if (framed) pieces.add(http::kChunkEnd);
    return pieces;
}

/// A fresh connection that takes no more may hold an answer already (a 413, say): it is read. A kept one was closed.
Result<void> sent_or_closed(const http::Connection& upstream, bool written) {
    if (written || !upstream.reused || upstream.stream->timed_out()) return {};
    return Error{.code = Code::upstream_truncated,
                 .source = core::Source::upstream,
                 .retryable = true,
                 .detail = "the kept connection was closed"};
}

/// Whether a client hears from us while its upstream thinks.
bool speaks_meanwhile(const Exchange& x) noexcept {
    return x.body.stream && x.tables->stream.keepalive.count() != 0 && x.endpoint->terminal != wire::Terminal::none;
}

/// Waits for the first bytes of an answer, and speaks to the client meanwhile.
Awaitable<Result<void>> await_answer(Exchange& x, http::Connection& upstream) {
    while (upstream.in.empty()) {
        upstream.stream->set_wake(x.worker.shared.clock.now() + x.tables->stream.keepalive);
        const std::size_t n = co_await upstream.read_more();
        const bool more = upstream.got(n);
        if (more || !upstream.stream->take_woken()) break;
        const Result<void> said = co_await write_keepalive(x);
        if (!said) co_return said.error();
    }
    upstream.stream->set_wake(Stream::kNever);
    co_return co_await http::read_response_head(upstream, x.request.method, upstream.response_head());
}

/// A connection with the request sent and the head of its answer read.
Awaitable<Result<std::unique_ptr<http::Connection>>> exchange_heads(Exchange& x, const upstream::Account& account,
                                                                    std::string_view credential) {
    Edits edits;
    make_edits(x, edits);
    for (;;) {
        std::unique_ptr<http::Connection> upstream = x.worker.pool.take(account.target, *x.attempt_start);
        if (!upstream) {
            Result<std::unique_ptr<http::Connection>> opened = co_await open_upstream(x, account);
            if (!opened) co_return opened.error();
            upstream = std::move(*opened);
        }
        const core::TimePoint deadline = x.body.stream ? first_output_deadline(x) : total_deadline(x);
        upstream->stream->set_deadline(deadline);
        const ClientWatch watch(x, *upstream->stream);
        const bool written = co_await upstream->stream->write(render_request(x, *upstream, account, credential, edits));
        Result<void> answered;
        if (written && x.body.rest != nullptr) {
            x.body.passing = true;
            const Result<bool> passed = co_await send_rest(x, *upstream);
            upstream->stream->set_deadline(deadline);
            if (!passed)
                answered = passed.error();
            else if (!*passed)
                x.reply.keep = false;
        }
        x.stamps.sent = x.worker.shared.clock.now();
        if (answered) answered = sent_or_closed(*upstream, written);
        if (answered && speaks_meanwhile(x)) {
            answered = co_await await_answer(x, *upstream);
        } else if (answered) {
            answered = co_await http::read_response_head(*upstream, x.request.method, upstream->response_head());
        }
        if (answered) {
            x.stamps.first_byte = upstream->read_at;
            co_return upstream;
        }
        if (client_gone(x)) co_return client_left();
        // Kept connections may have been closed meanwhile; each is tried once, then a fresh one decides.
        const bool again = answered.error().retryable && upstream->reused && x.body.repeatable();
        if (!again || x.worker.net.stopping()) co_return answered.error();
    }
}

bool is_event_stream(const http::ResponseHead& head) noexcept {
    return head.status == 200 && head.fields.value(http::KnownField::content_type).starts_with("text/event-stream");
}

/// An answer that has to be looked at before it may pass.
bool is_read(const Exchange& x, const http::ResponseHead& head) noexcept {
    // Of a HEAD there is nothing to read; a refused credential of ours is ours to tell, whatever the method.
    if (x.request.method == "HEAD") return wire::refusal_of_status(head.status) == wire::Refusal::credential;
    if (head.status >= 400 || x.endpoint->json_answer) return true;
    if (may_tell(x, head.fields.value(http::KnownField::content_type))) return true;
    return x.endpoint->terminal == wire::Terminal::none && x.endpoint->resource == wire::Resource::none &&
           head.fields.value(http::KnownField::content_type).starts_with("application/json");
}

/// The same for an OAuth account, whose token may have been revoked: another one is asked for, once.
Awaitable<Result<std::unique_ptr<http::Connection>>> exchange_with_token(Exchange& x,
                                                                         const upstream::Account& account) {
    for (bool first = true;; first = false) {
        const Result<std::string> token = co_await access_token(x, account);
        if (!token) co_return token.error();
        const std::string credential = bearer_line(*token);
        Result<std::unique_ptr<http::Connection>> answered = co_await exchange_heads(x, account, credential);
        const bool refused = answered && (*answered)->response_head().status == 401;
        if (!refused || !first || !x.body.repeatable() || !account.tokens->invalidate(*token)) co_return answered;
        (*answered)->stream->close();
    }
}

}  // namespace

Error client_left() {
    return Error{.code = Code::cancelled, .source = core::Source::downstream, .detail = "the client left"};
}

core::TimePoint first_output_deadline(const Exchange& x) noexcept {
    return std::min(total_deadline(x), deadline_after(x.tables->timeouts.first_output, *x.attempt_start));
}

Awaitable<Result<std::unique_ptr<http::Connection>>> open_upstream(Exchange& x, const upstream::Account& account) {
    const core::TimePoint deadline =
        std::min(total_deadline(x), deadline_after(x.tables->timeouts.connect, *x.attempt_start));
    Result<std::unique_ptr<http::Connection>> opened = co_await x.worker.pool.open(account.target, deadline);
    if (!opened) {
        // The address is ours to know, not the client's.
        core::log(core::LogLevel::warn, "an upstream cannot be reached",
                  {{"account", account.name}, {"reason", opened.error().detail}});
        opened.error().detail = "no connection to the upstream";
    }
    co_return opened;
}

Awaitable<Result<std::string>> access_token(Exchange& x, const upstream::Account& account) {
    Result<std::string> token = co_await account.tokens->access_token(x.worker.net, x.worker.pool);
    if (token) co_return token;
    // For the log and `explain`; the client learns that nothing could be sent.
    core::log(core::LogLevel::warn, "no access token", {{"account", account.name}, {"reason", token.error().detail}});
    co_return Error{.code = Code::connect_failed,
                    .source = core::Source::upstream,
                    .detail = "no valid credential for the upstream"};
}

std::string bearer_line(std::string_view token) {
    return "authorization: Bearer " + std::string(token) + "\r\n";
}

Awaitable<Result<void>> try_account(Exchange& x, const upstream::Account& account) {
    const bool bridged = x.worker.sockets.is_bridged(account, *x.attempt_start);
    if (x.turn != nullptr && account.websocket && !bridged) return try_socket(x, account);
    return try_http(x, account);
}

Awaitable<Result<void>> try_http(Exchange& x, const upstream::Account& account) {
    if (x.warm_up)
        // Over HTTP there is nothing to warm, and no response that a later turn could go on from; clients send the
        // whole input then.
        co_return Error{.code = Code::invalid_request,
                        .source = core::Source::downstream,
                        .detail = "this upstream cannot be warmed up (generate: false); send the turn itself",
                        .param = "generate"};
    Result<std::unique_ptr<http::Connection>> opened = std::unique_ptr<http::Connection>();
    if (account.tokens) {
        opened = co_await exchange_with_token(x, account);
    } else {
        opened = co_await exchange_heads(x, account, account.credential);
    }
    if (!opened) {
        // Nothing of an answer came: with an account left, nobody has to know.
        opened.error().retryable = opened.error().source == core::Source::upstream && x.body.repeatable();
        co_return opened.error();
    }
    std::unique_ptr<http::Connection> upstream = std::move(*opened);
    co_return co_await relay_answer(x, std::move(upstream));
}

Awaitable<Result<void>> relay_answer(Exchange& x, std::unique_ptr<http::Connection> upstream) {
    const http::ResponseHead& head = upstream->response_head();
    x.attempt().status = static_cast<std::uint16_t>(head.status);
    if (head.status == 101)  // nobody asked for another protocol
        co_return Error{.code = Code::upstream_malformed,
                        .source = core::Source::upstream,
                        .retryable = x.body.repeatable(),
                        .detail = "the upstream switched protocols unasked"};
    x.attempt().refusal = wire::refusal_of_status(head.status);
    if (x.attempt().refusal != wire::Refusal::none) {
        x.rest = wire::rest_of(head.fields, x.worker.shared.clock.wall_now());
        // Where the head of a 429 does not say for how long, its body may: `relay_whole` decides then.
        const bool body_may_say = head.status == 429 && !x.rest && x.request.method != "HEAD";
        if (!body_may_say && is_worth_another(x, x.attempt().refusal) && claim_next(x)) {
            upstream->stream->close();
            co_return Error{.code = Code::upstream_error,
                            .source = core::Source::upstream,
                            .retryable = true,
                            .detail = "the upstream answered " + std::to_string(head.status)};
        }
    }
    const bool keep_upstream = head.keep_alive;
    std::optional<ClientWatch> watch;
    if (!x.tables->stream.drain_when_gone) watch.emplace(x, *upstream->stream);
    // Several statements: g++ 12 destroys the result of a co_await inside ?: twice (coroutine_canary_test.cpp).
    Result<void> relayed;
    if (is_event_stream(head)) {
        relayed = co_await relay_stream(x, *upstream, head);
    } else if (is_read(x, head)) {
        relayed = co_await relay_whole(x, *upstream, head);
    } else {
        relayed = co_await relay_bytes(x, *upstream, head);
    }
    watch.reset();
    if (!relayed) {
        upstream->stream->close();
        if (client_gone(x)) co_return client_left();
        co_return relayed.error();
    }
    http::finish_body(x.downstream, x.body.text);
    if (x.body.rest != nullptr && !x.body.rest->done()) x.reply.keep = false;
    if (x.endpoint->body == wire::BodyTreatment::none && x.request.body != http::BodyFraming::none)
        x.reply.keep = false;  // nobody read it
    if (keep_upstream && upstream->stream->is_open()) x.worker.pool.give(std::move(upstream));
    co_return Result<void>{};
}

}  // namespace oai::gateway
