#include "gateway/reply.hpp"

#include <algorithm>

#include "core/log.hpp"
#include "core/units.hpp"
#include "gateway/event_reply.hpp"
#include "gateway/stages.hpp"
#include "gateway/worker_state.hpp"
#include "http/head_writer.hpp"
#include "wire/error_body.hpp"

namespace oai::gateway {

using core::Error;
using core::Result;
using http::FieldSet;
using http::KnownField;
using net::Awaitable;

namespace {

/// A body this small is read to its end, so that the connection lives on.
constexpr std::uint64_t kWorthSkipping = 64 * 1024;
constexpr std::chrono::seconds kWritePatience{10};

void append_status_line(std::string& out, int status, std::string_view reason) {
    http::append(out, "HTTP/1.1 ", http::Decimal(static_cast<std::uint64_t>(status)), " ",
                 reason.empty() ? wire::reason_phrase(status) : reason, "\r\n");
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    http::append(out, name, ": ", value, "\r\n");
}

/// Fields of an upstream's answer that end here, are ours to set, or nobody's business.
constexpr FieldSet kWithheld = http::kHopByHop | FieldSet{
                                                     KnownField::content_length,      KnownField::openai_organization,
                                                     KnownField::openai_project,      KnownField::set_cookie,
                                                     KnownField::set_cookie2,         KnownField::x_oaigw_attempts,
                                                     KnownField::x_oaigw_overhead_us, KnownField::x_oaigw_version,
                                                 };
/// The same of an answer that was unpacked.
constexpr FieldSet kWithheldUnpacked = kWithheld | FieldSet{KnownField::content_encoding};

/// `1;status=503;ms=12;reason=overloaded, 2;status=200`: how often and why, not where.
void append_attempts(std::string& out, const Exchange& x) {
    out += "x-oaigw-attempts: ";
    unsigned number = 0;
    for (const Attempt& attempt : x.all_attempts()) {
        if (number != 0) out += ", ";
        http::append(out, http::Decimal(++number));
        if (attempt.status != 0) http::append(out, ";status=", http::Decimal(attempt.status));
        if (attempt.failed) http::append(out, ";ms=", http::Decimal(attempt.ms), ";reason=", reason_of(attempt));
    }
    out += "\r\n";
}

}  // namespace

PlainReply error_reply(const core::Error& error, bool keep, wire::Dialect dialect) {
    PlainReply reply;
    reply.status = wire::face_of(error.code).status;
    reply.body = wire::error_body(error, dialect);
    reply.keep = keep;
    if (error.retry_after)
        append_field(reply.headers, "retry-after",
                     http::Decimal(static_cast<std::uint64_t>(error.retry_after->count())));
    return reply;
}

Awaitable<bool> send_plain(WorkerState& worker, http::Connection& connection, const PlainReply& reply) {
    std::string head;
    append_status_line(head, reply.status, {});
    head += worker.date_line();
    if (!reply.content_type.empty()) append_field(head, "content-type", reply.content_type);
    append_field(head, "content-length", http::Decimal(reply.body.size()));
    head += reply.headers;
    if (!reply.keep) append_field(head, "connection", "close");
    head += "\r\n";
    connection.stream->set_deadline(std::chrono::steady_clock::now() + kWritePatience);
    const net::Pieces pieces{head, reply.head_only ? std::string_view{} : std::string_view(reply.body)};
    const bool written = co_await connection.stream->write(pieces);
    connection.stream->set_deadline(net::Stream::kNever);
    co_return written;
}

Awaitable<Result<void>> answer_ourselves(Exchange& x, PlainReply& reply) {
    if (x.reply.keep) x.reply.keep = co_await skip_body(x.downstream, x.request);
    reply.keep = x.reply.keep;
    reply.head_only = x.request.method == "HEAD";
    append_field(reply.headers, "x-request-id", x.id.view());
    x.reply.started = true;
    x.reply.status = reply.status;
    const bool written = co_await send_plain(x.worker, x.downstream, reply);
    if (!written)
        co_return Error{.code = core::Code::cancelled, .source = core::Source::downstream, .detail = "the client left"};
    x.sample.outcome = metrics::Outcome::ok;
    x.sample.owner = metrics::Owner::none;
    co_return Result<void>{};
}

Awaitable<bool> skip_body(http::Connection& connection, const http::RequestHead& request) {
    if (request.body == http::BodyFraming::none) co_return true;
    if (request.body == http::BodyFraming::length && request.content_length > kWorthSkipping) co_return false;
    if (request.expect_continue) co_return false;  // it waits for a word that will not come
    http::BodyReader reader(connection, request, core::Source::downstream);
    connection.stream->set_deadline(std::chrono::steady_clock::now() + kWritePatience);
    while (!reader.done()) {
        const core::Result<std::string_view> piece = co_await reader.next();
        if (!piece || reader.bytes() > kWorthSkipping) co_return false;
    }
    reader.finish();
    connection.stream->set_deadline(net::Stream::kNever);
    co_return true;
}

void begin_head(std::string& out, const http::ResponseHead& upstream, bool unpacked, std::string_view date_line) {
    out.clear();
    append_status_line(out, upstream.status, upstream.reason);
    const FieldSet withheld = unpacked ? kWithheldUnpacked : kWithheld;
    http::LineRun passed(out);
    bool dated = false;
    for (const http::Field& field : upstream.fields) {
        if (withheld.has(field.known)) continue;
        if (upstream.lists_fields && http::connection_lists(upstream.fields, field.name)) continue;
        dated = dated || field.known == KnownField::date;
        if (field.known == KnownField::x_request_id) {
            passed.end();
            append_field(out, "x-upstream-request-id", field.value);
        } else {
            passed.add(field);
        }
    }
    passed.end();
    if (!dated) out += date_line;
}

void finish_head(std::string& out, const Exchange& x) {
    append_field(out, "x-request-id", x.id.view());
    if (x.tables->expose_routing) {
        if (x.selection.version != nullptr) append_field(out, "x-oaigw-version", x.selection.version->version);
        if (x.attempt_count > 1) append_attempts(out, x);
        if (x.stamps.sent && x.stamps.first_byte) {
            const auto ours =
                (*x.stamps.sent - x.stamps.scheduled) + (x.worker.shared.clock.now() - *x.stamps.first_byte);
            const std::int64_t us = std::chrono::floor<core::microseconds>(ours).count();
            append_field(out, "x-oaigw-overhead-us",
                         http::Decimal(static_cast<std::uint64_t>(std::max<std::int64_t>(0, us))));
        }
    }
    if (!x.reply.keep) {
        append_field(out, "connection", "close");
    } else if (x.request.minor_version == 0) {
        append_field(out, "connection", "keep-alive");
    }
    out += "\r\n";
}

Awaitable<void> fail(Exchange& x, const core::Error& error) {
    account_failure(x, error);
    const wire::ErrorFace& face = wire::face_of(error.code);
    core::log(face.level, "request failed",
              {{"request", x.id.view()}, {"code", face.code}, {"detail", error.detail}, {"path", x.request.path}});
    if (x.turn != nullptr) {
        const std::string body = wire::error_body(error);
        // `{"error":X}`: the message wants X.
        const std::string_view inner = std::string_view(body).substr(9, body.size() - 10);
        x.reply.status = face.status;
        const core::Result<void> told = co_await x.turn->write_error(face.status, inner);
        if (!told) core::log(core::LogLevel::debug, "the client left", {{"request", x.id.view()}});
        co_return;
    }
    const bool reachable = error.code != core::Code::cancelled && x.downstream.stream->is_open();
    if (reachable && x.reply.started && x.reply.events) {
        const std::string event = wire::error_event(error, x.endpoint->terminal);
        const core::Result<void> written = co_await write_events(x, event, true);
        if (!written) x.reply.keep = false;
    }
    if (!reachable || x.reply.started) {
        // Nothing more can be said on this connection: it may not look like a good end.
        x.reply.keep = false;
        co_return;
    }
    if (x.body.text.data() == nullptr && x.reply.keep) x.reply.keep = co_await skip_body(x.downstream, x.request);
    http::finish_body(x.downstream, x.body.text);
    if (x.body.rest != nullptr) x.reply.keep = false;  // the rest of the body is still on its way
    const wire::Dialect dialect = x.endpoint == nullptr ? wire::Dialect::openai : x.endpoint->dialect;
    PlainReply reply = error_reply(error, x.reply.keep, dialect);
    append_field(reply.headers, "x-request-id", x.id.view());
    if (x.tables->expose_routing && x.attempt_count > 0) append_attempts(reply.headers, x);
    if (face.status == 405 && !x.allow.empty()) append_field(reply.headers, "allow", x.allow);
    if (face.status == 401) append_field(reply.headers, "www-authenticate", "Bearer");
    reply.head_only = x.request.method == "HEAD";
    x.reply.started = true;
    x.reply.status = face.status;
    const bool written = co_await send_plain(x.worker, x.downstream, reply);
    if (!written) x.reply.keep = false;
}

}  // namespace oai::gateway
