#include "gateway/reply.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/log.hpp"
#include "core/units.hpp"
#include "gateway/event_reply.hpp"
#include "gateway/stages.hpp"
#include "gateway/worker_state.hpp"
#include "wire/error_body.hpp"

namespace oai::gateway {

using net::Awaitable;

namespace {

/// A body this small is read to its end, so that the connection lives on.
constexpr std::uint64_t kWorthSkipping = 64 * 1024;
constexpr std::chrono::seconds kWritePatience{10};

void append_number(std::string& out, std::uint64_t number) {
    std::array<char, 20> digits{};
    const auto [end, ec] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    out.append(digits.data(), end);
}

void append_status_line(std::string& out, int status, std::string_view reason) {
    out += "HTTP/1.1 ";
    append_number(out, static_cast<std::uint64_t>(status));
    out += ' ';
    out += reason.empty() ? wire::reason_phrase(status) : reason;
    out += "\r\n";
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
}

/// Fields of an upstream's answer that are ours to set, or nobody's business.
bool is_withheld(std::string_view name) noexcept {
    switch (name.size()) {
        case 10: return core::equals_ignore_case(name, "set-cookie");
        case 11: return core::equals_ignore_case(name, "set-cookie2");
        case 14:
            return core::equals_ignore_case(name, "content-length") || core::equals_ignore_case(name, "openai-project");
        case 15: return core::equals_ignore_case(name, "x-oaigw-version");
        case 16: return core::equals_ignore_case(name, "x-oaigw-attempts");
        case 19:
            return core::equals_ignore_case(name, "openai-organization") ||
                   core::equals_ignore_case(name, "x-oaigw-overhead-us");
        default: return false;
    }
}

/// `1;status=503;ms=12;reason=overloaded, 2;status=200`: how often and why, not where.
void append_attempts(std::string& out, const Exchange& x) {
    out += "x-oaigw-attempts: ";
    unsigned number = 0;
    for (const Attempt& attempt : x.all_attempts()) {
        if (number != 0) out += ", ";
        append_number(out, ++number);
        if (attempt.status != 0) {
            out += ";status=";
            append_number(out, attempt.status);
        }
        if (!attempt.failed) continue;
        out += ";ms=";
        append_number(out, attempt.ms);
        out += ";reason=";
        out += reason_of(attempt);
    }
    out += "\r\n";
}

}  // namespace

PlainReply error_reply(const core::Error& error, bool keep, wire::Dialect dialect) {
    PlainReply reply;
    reply.status = wire::face_of(error.code).status;
    reply.body = wire::error_body(error, dialect);
    reply.keep = keep;
    if (error.retry_after) {
        reply.headers += "retry-after: ";
        append_number(reply.headers, static_cast<std::uint64_t>(error.retry_after->count()));
        reply.headers += "\r\n";
    }
    return reply;
}

Awaitable<bool> send_plain(http::Connection& connection, const PlainReply& reply) {
    std::string head;
    append_status_line(head, reply.status, {});
    append_field(head, "content-type", reply.content_type);
    head += "content-length: ";
    append_number(head, reply.body.size());
    head += "\r\n";
    head += reply.headers;
    if (!reply.keep) append_field(head, "connection", "close");
    head += "\r\n";
    connection.stream->set_deadline(std::chrono::steady_clock::now() + kWritePatience);
    const net::Pieces pieces{head, reply.head_only ? std::string_view{} : std::string_view(reply.body)};
    const bool written = co_await connection.stream->write(pieces);
    connection.stream->set_deadline(net::Stream::kNever);
    co_return written;
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

void begin_head(std::string& out, const http::ResponseHead& upstream, bool unpacked) {
    out.clear();
    append_status_line(out, upstream.status, upstream.reason);
    const bool lists = upstream.fields.find("connection") != nullptr;
    for (const http::Field& field : upstream.fields) {
        if (http::is_hop_by_hop(field.name) || is_withheld(field.name)) continue;
        if (lists && http::connection_lists(upstream.fields, field.name)) continue;
        if (unpacked && core::equals_ignore_case(field.name, "content-encoding")) continue;
        const bool theirs = core::equals_ignore_case(field.name, "x-request-id");
        append_field(out, theirs ? "x-upstream-request-id" : field.name, field.value);
    }
}

void finish_head(std::string& out, const Exchange& x) {
    append_field(out, "x-request-id", x.id.view());
    if (x.tables->expose_routing) {
        if (x.selection.version != nullptr) append_field(out, "x-oaigw-version", x.selection.version->version);
        if (x.attempt_count > 1) append_attempts(out, x);
        if (x.stamps.sent && x.stamps.first_byte) {
            const auto ours =
                (*x.stamps.sent - x.stamps.scheduled) + (x.worker.shared.clock.now() - *x.stamps.first_byte);
            out += "x-oaigw-overhead-us: ";
            append_number(out, static_cast<std::uint64_t>(
                                   std::max<std::int64_t>(0, std::chrono::floor<core::microseconds>(ours).count())));
            out += "\r\n";
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
    if (!x.allow.empty()) append_field(reply.headers, "allow", x.allow);
    if (face.status == 401) append_field(reply.headers, "www-authenticate", "Bearer");
    reply.head_only = x.request.method == "HEAD";
    x.reply.started = true;
    x.reply.status = face.status;
    const bool written = co_await send_plain(x.downstream, reply);
    if (!written) x.reply.keep = false;
}

}  // namespace oai::gateway
