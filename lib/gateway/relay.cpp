#include <array>
#include <charconv>

#include "gateway/event_reply.hpp"
#include "gateway/forward.hpp"
#include "gateway/reply.hpp"
#include "gateway/resources.hpp"
#include "gateway/worker_state.hpp"
#include "http/inflate.hpp"
#include "json/writer.hpp"
#include "wire/answer.hpp"
#include "wire/error_body.hpp"

namespace oai::gateway {

using core::Code;
using core::Error;
using core::Result;
using net::Awaitable;

namespace {

/// A JSON answer is looked at whole before it is passed on. One that says it is larger passes unread.
constexpr std::size_t kLargestRead = std::size_t{64} << 20;

/// The provider refused our credential, or has no credit for it: nothing the client can mend, and the text may name the
/// account.
bool is_about_our_account(int status) noexcept {
    return wire::refusal_of_status(status) == wire::Refusal::credential;
}

void append_length(std::string& out, std::uint64_t length) {
    std::array<char, 20> digits{};
    const auto [end, ec] = std::to_chars(digits.data(), digits.data() + digits.size(), length);
    out += "content-length: ";
    out.append(digits.data(), end);
    out += "\r\n";
}

/// No Error by itself: each would have a place of its own in the frame of the coroutine that names it.
Result<void> failed(Code code, std::string detail) {
    return Error{.code = code, .source = core::Source::upstream, .retryable = true, .detail = std::move(detail)};
}

/// A body that its provider packed unasked, unpacked into a buffer that can be read.
Result<std::string_view> unpack(std::string_view body, net::Buffer& into) {
    http::Inflater inflater;
    std::string text;
    if (const Result<void> ok = inflater.feed(body, text, kLargestRead); !ok) return ok.error();
    if (!inflater.done())
        return failed(Code::upstream_truncated, "the upstream's packed answer ended before its end").error();
    into.clear();
    into.append(text);
    return into.readable();
}

/// A whole answer where events were promised, and the head is out: its text as one error event.
Awaitable<Result<void>> relay_as_event(Exchange& x, int status, std::string_view body) {
    if (x.turn != nullptr) {
        const json::Member error = x.worker.scanner.find(x.worker.scanner.copy(body), {"error"});
        x.reply.started = true;
        x.reply.committed = true;
        x.reply.status = status;
        const Result<void> told = co_await x.turn->write_error(status, error.present() ? error.raw : "null");
        if (!told) co_return told.error();
        account_answer(x, status, wire::Ending::failed);
        co_return Result<void>{};
    }
    // In the words that clients of this endpoint's streams read, with the upstream's own message.
    const json::Padded text = x.worker.scanner.copy(body);
    const std::string message = x.worker.scanner.find(text, {"error", "message"}).string().value_or("");
    const std::string event =
        wire::error_event(Error{.code = Code::upstream_error,
                                .source = core::Source::upstream,
                                .detail = "the upstream answered " + std::to_string(status) + ": " + message},
                          x.endpoint->terminal);
    x.reply.committed = true;
    const Result<void> written = co_await write_events(x, event, true);
    x.reply.keep = false;
    if (!written) co_return written.error();
    account_answer(x, status, wire::Ending::failed);
    co_return Result<void>{};
}

}  // namespace

Awaitable<Result<void>> relay_whole(Exchange& x, http::Connection& upstream, const http::ResponseHead& head) {
    if (is_about_our_account(head.status)) {
        Result<void> refused = failed(Code::upstream_error, "the upstream refused the gateway's credential");
        refused.error().retryable = false;  // what could be tried was tried
        co_return refused;
    }
    if (head.status < 400 && head.body == http::BodyFraming::length && head.content_length > kLargestRead)
        co_return co_await relay_bytes(x, upstream, head);
    const int status = head.status;
    const std::string_view coding = head.fields.value(http::KnownField::content_encoding);
    const bool packed = http::Inflater::knows(coding);
    const bool readable = packed || coding.empty() || coding == "identity";
    const bool keep_connection = head.keep_alive;
    if (!x.reply.started) begin_head(x.downstream.scratch, head, packed, x.worker.date_line());

    net::Buffer gathered(x.worker.net.buffers());
    Result<std::string_view> body = upstream.in.readable().substr(0, static_cast<std::size_t>(head.content_length));
    const bool here = head.body == http::BodyFraming::length && body->size() == head.content_length;
    if (!here) body = co_await http::read_whole_body(upstream, head, core::Source::upstream, kLargestRead, gathered);
    x.upstream_end = upstream.read_at;
    if (!body) {
        body.error().retryable = true;
        co_return body.error();
    }
    const std::string_view received = *body;
    net::Buffer unpacked(x.worker.net.buffers());
    if (packed) {
        body = unpack(received, unpacked);
        if (!body) co_return body.error();
    }

    if (status == 429 && !x.rest) {
        if (readable) x.rest = wire::rest_in(json::Padded{*body}, x.worker.shared.clock.wall_now(), x.worker.scanner);
        if (claim_next(x)) co_return failed(Code::upstream_error, "the upstream answered 429");
    }

    wire::Answer answer;
    if (readable) answer = wire::read_answer(x.endpoint->terminal, json::Padded{*body}, x.worker.scanner);
    if (status < 300 && readable && !answer.is_json && x.endpoint->json_answer)
        co_return failed(Code::upstream_malformed, "the upstream answered with something that is not JSON");
    // A thing may have an `error` of its own: a job's is an object of nulls while all is well.
    if (x.endpoint->resource != wire::Resource::none && x.endpoint->terminal == wire::Terminal::none)
        answer.ending = wire::Ending::completed;
    if (status < 300 && answer.ending == wire::Ending::failed) {
        x.attempt().refusal = answer.refusal;
        if (is_worth_another(x, answer.refusal) && claim_next(x))
            co_return failed(Code::upstream_error, "the upstream's answer holds an error");
    }
    x.usage = answer.usage;
    if (x.reply.started || x.turn != nullptr) co_return co_await relay_as_event(x, status, *body);

    std::array<json::Splice, 1> splices{};
    std::size_t edits = 0;
    if (x.is_mapped() && answer.model.is_text(x.selection.upstream_model)) {
        std::string& name = x.downstream.edit;
        name.clear();
        json::append_quoted(name, x.body.model_name);
        splices[edits++] = json::Splice{answer.model.raw, name};
    }
    const std::span<const json::Splice> done(splices.data(), edits);
    std::string& out = x.downstream.scratch;
    if (status != 204 && status != 304) append_length(out, json::spliced_size(*body, done));
    finish_head(out, x);
    net::Pieces pieces{out};
    json::spliced(*body, done, [&](std::string_view piece) { pieces.add(piece); });

    x.reply.started = true;
    x.reply.committed = true;
    x.reply.status = status;
    // Before the client can ask for it.
    if (status < 300) {
        remember_resource(x, answer.id);
        remember_told(x, *body);
    }
    const bool written = co_await write_to_client(x, pieces);
    if (Result<void> sent = written_or_left(x, written); !sent) co_return sent.error();
    account_answer(x, status, readable && x.endpoint->json_answer ? answer.ending : wire::Ending::completed);
    http::finish_body(upstream, received);
    if (!keep_connection) upstream.stream->close();
    co_return Result<void>{};
}

Awaitable<Result<void>> relay_bytes(Exchange& x, http::Connection& upstream, const http::ResponseHead& head) {
    if (x.reply.started || x.turn != nullptr)
        co_return failed(Code::upstream_malformed, "the upstream answered a stream with a whole answer");
    const int status = head.status;
    const bool keep_connection = head.keep_alive;
    const bool has_body = head.body != http::BodyFraming::none;
    const bool chunked = has_body && head.body != http::BodyFraming::length && x.request.minor_version >= 1;
    std::string& out = x.downstream.scratch;
    begin_head(out, head, false, x.worker.date_line());
    if (head.body == http::BodyFraming::length) append_length(out, head.content_length);
    if (chunked) out += "transfer-encoding: chunked\r\n";
    if (has_body && head.body != http::BodyFraming::length && !chunked) x.reply.keep = false;
    // The answer to a HEAD: what its body would be, when the upstream says so.
    if (!has_body && head.fields.has(http::KnownField::content_length) && status != 204)
        append_length(out, head.content_length);
    finish_head(out, x);

    x.reply.started = true;
    x.reply.committed = true;
    x.reply.status = status;
    http::BodyReader body(upstream, head, core::Source::upstream);
    net::Pieces pieces{out};
    std::array<char, http::kMaxChunkHeader> header{};
    for (;;) {
        // The head goes with the first bytes when they are here already.
        const bool nothing_here = upstream.in.empty() && !body.done() && !pieces.empty();
        std::string_view piece;
        if (!nothing_here) {
            upstream.stream->set_deadline(
                std::min(deadline_after(x.tables->timeouts.total, x.stamps.scheduled),
                         deadline_after(x.tables->timeouts.idle, x.worker.shared.clock.now())));
            const Result<std::string_view> got = co_await body.next();
            if (!got) co_return got.error();
            piece = *got;
            x.upstream_end = upstream.read_at;
            if (chunked && !piece.empty())
                pieces.add(std::string_view(header.data(), http::write_chunk_header(header.data(), piece.size())));
            pieces.add(piece);
            if (chunked) pieces.add(piece.empty() ? http::kLastChunk : http::kChunkEnd);
            upstream.stream->set_deadline(net::Stream::kNever);
        }
        if (!pieces.empty()) {
            const bool written = co_await write_to_client(x, pieces);
            if (Result<void> sent = written_or_left(x, written); !sent) co_return sent.error();
            pieces = {};
        }
        if (!nothing_here && piece.empty()) break;
    }
    body.finish();
    if (!keep_connection) upstream.stream->close();
    account_answer(x, status, wire::Ending::completed);
    // Itself, and not something below it.
    const bool itself = x.endpoint->resource == wire::Resource::named && x.rest_path.ends_with(x.path_id);
    if (status < 300 && x.request.method == "DELETE" && itself) forget_resource(x);
    co_return Result<void>{};
}

}  // namespace oai::gateway
