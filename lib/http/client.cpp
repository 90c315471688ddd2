#include "http/client.hpp"

#include "core/units.hpp"

namespace oai::http {

using core::Code;
using core::Error;
using core::Result;
using net::Awaitable;

namespace {

std::string head_text(const ClientRequest& request, const Target& target) {
    std::string text = request.method + " " + request.url.base_path + request.target +
                       " HTTP/1.1\r\nhost: " + target.authority + "\r\n";
    for (const auto& [name, value] : request.headers) text += name + ": " + value + "\r\n";
    if (!request.body.empty() || request.method == "POST" || request.method == "PUT")
        text += "content-length: " + std::to_string(request.body.size()) + "\r\n";
    return text + "\r\n";
}

Error named(const ClientRequest& request, Error error) {
    error.detail = request.method + " " + request.url.text() + request.target + ": " + error.detail;
    return error;
}

Awaitable<Result<ClientResponse>> exchange(Connection& connection, const WrittenRequest& request) {
    const net::Pieces pieces{request.head, request.body};
    const bool written = co_await connection.stream->write(pieces);
    if (!written)
        co_return Error{.code = connection.stream->timed_out() ? Code::upstream_timeout : Code::upstream_truncated,
                        .source = core::Source::upstream,
                        .retryable = connection.reused && !connection.stream->timed_out(),
                        .detail = connection.stream->timed_out() ? "the request could not be sent in time"
                                                                 : connection.stream->error().message()};
    ResponseHead answer;
    const Result<void> read = co_await read_response_head(connection, request.method, answer);
    if (!read) co_return read.error();
    ClientResponse response;
    response.status = answer.status;
    for (const Field& field : answer.fields) response.headers.emplace_back(field.name, field.value);
    net::Buffer gathered(connection.stream->worker().buffers());
    const Result<std::string_view> body =
        co_await read_whole_body(connection, answer, core::Source::upstream, request.max_response_bytes, gathered);
    if (!body) co_return body.error();
    response.body = std::string(*body);
    finish_body(connection, *body);
    if (!answer.keep_alive) connection.stream->close();
    co_return response;
}

}  // namespace

std::string_view ClientResponse::header(std::string_view name) const noexcept {
    for (const auto& [key, value] : headers) {
        if (core::equals_ignore_case(key, name)) return value;
    }
    return {};
}

Awaitable<Result<ClientResponse>> fetch(Pool& pool, ClientRequest request) {
    const Target target(request.url, request.tls, request.proxy);
    const WrittenRequest written{.method = request.method,
                                 .head = head_text(request, target),
                                 .body = std::move(request.body),
                                 .timeout = request.timeout,
                                 .max_response_bytes = request.max_response_bytes};
    Result<ClientResponse> response = co_await fetch_written(pool, target, written);
    // A connection that could not be opened names its place itself.
    const bool opened =
        response || (response.error().code != Code::connect_failed && response.error().code != Code::tls_failed);
    if (!response && opened) co_return named(request, std::move(response.error()));
    co_return response;
}

Awaitable<Result<ClientResponse>> fetch_written(Pool& pool, const Target& target, const WrittenRequest& request) {
    const core::TimePoint deadline = std::chrono::steady_clock::now() + request.timeout;
    for (;;) {
        std::unique_ptr<Connection> connection = pool.take(target, std::chrono::steady_clock::now());
        if (!connection) {
            Result<std::unique_ptr<Connection>> opened = co_await pool.open(target, deadline);
            if (!opened) co_return opened.error();  // names the place itself
            connection = std::move(*opened);
        }
        connection->stream->set_deadline(deadline);
        Result<ClientResponse> response = co_await exchange(*connection, request);
        if (!response && response.error().retryable)
            continue;  // the kept connection was closed: the next one, or a fresh one
        if (!response) co_return response;
        pool.give(std::move(connection));
        co_return response;
    }
}

Result<ClientResponse> fetch_blocking(const ClientRequest& request) {
    net::Worker worker("client");
    Pool pool(worker);
    Result<ClientResponse> response = Error{.code = Code::internal, .detail = "not run"};
    struct Session {
        static Awaitable<void> run(net::Worker& w, Pool& p, const ClientRequest& r, Result<ClientResponse>& out) {
            out = co_await fetch(p, r);
            p.clear();
            w.stop();
        }
    };
    worker.spawn(Session::run(worker, pool, request, response));
    worker.run();
    return response;
}

}  // namespace oai::http
