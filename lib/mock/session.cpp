#include "mock/session.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "http/server.hpp"
#include "wire/error_body.hpp"

namespace oai::mock {

using core::Code;
using core::Error;
using core::Result;
using core::TimePoint;
using net::Awaitable;

namespace {

constexpr std::size_t kMaxBody = std::size_t{64} << 20;
constexpr std::size_t kMaxForm = std::size_t{512} << 20;

constexpr std::chrono::seconds kHeadTime{30};
/// Longer than any client's: the upstream is not the one that closes first.
constexpr std::chrono::seconds kIdleTime{120};
constexpr std::chrono::seconds kBodyTime{60};

TimePoint now() {
    return std::chrono::steady_clock::now();
}

}  // namespace

const Behaviour& Shard::current() {
    const std::uint64_t latest = shared->generation.load(std::memory_order_acquire);
    if (generation != latest) {
        behaviour = shared->behaviour.load();
        generation = latest;
    }
    return *behaviour;
}

void Shard::start(const std::shared_ptr<Shard>& shard) {
    // The accept loop lives in the listener, so what it calls keeps the shard, and with it the listener.
    shard->listener->start([shard](net::Socket socket) {
        count(shard->connections);
        shard->worker.spawn(Session::serve(shard, std::move(socket)));
    });
}

void Shard::stop() {
    stopping = true;
    listener->close();
    for (Session* session : sessions) session->close();
}

Awaitable<void> Session::serve(std::shared_ptr<Shard> shard, net::Socket socket) {
    Session session(*shard, std::move(socket));
    const http::ServerTimeouts timeouts{.head = kHeadTime, .idle = kIdleTime};
    co_await http::serve_connection(shard->worker, session.connection_, session, timeouts, shard->shared->tls);
}

Session::Session(Shard& shard, net::Socket socket)
    : shard_(shard), connection_(shard.worker, std::move(socket)), timer_(shard.worker.executor()) {
    place_ = shard_.sessions.insert(shard_.sessions.end(), this);
    count(shard_.open);
    if (shard_.stopping) close();
}

Session::~Session() {
    shard_.sessions.erase(place_);
    count(shard_.open, static_cast<std::uint64_t>(-1));
}

void Session::close() noexcept {
    stream().close();
    timer_.cancel();
}

Awaitable<bool> Session::handle(http::Connection&, http::RequestHead& head) {
    begin(head);
    if (asks_for_conversation(head)) co_return co_await converse(head);
    net::Buffer gathered(shard_.worker.buffers());
    std::string_view body;
    if (!takes_form_ && head.body == http::BodyFraming::length && connection_.in.size() >= head.content_length) {
        body = connection_.in.readable().substr(0, static_cast<std::size_t>(head.content_length));
    } else if (head.body != http::BodyFraming::none) {
        const Result<std::string_view> received = co_await receive(head, gathered);
        if (!received) {
            if (stream().is_open()) co_await refuse(connection_, received.error());
            co_return false;
        }
        body = *received;
    }
    // A pipelined request was read while its forerunner was answered; it is received when that is over.
    received_ = std::max(connection_.read_at, ended_);
    if (receipt_ && !upload_) receipt_->add_body(body);

    const Verdict refusal = understand(head, body);
    http::finish_body(connection_, body);
    gathered.release();
    if (refusal) render_refusal(*refusal);

    bool complete = false;
    if (is_immediate()) {
        render_whole();
        complete = co_await send(framed(true));
    } else {
        complete = co_await play();
    }
    finish_record(complete);
    co_return complete&& keep_ && !shard_.stopping;
}

Awaitable<Result<std::string_view>> Session::receive(const http::RequestHead& head, net::Buffer& gathered) {
    stream().set_deadline(now() + kBodyTime);
    if (head.expect_continue && connection_.in.empty()) {
        const net::Pieces go_on{"HTTP/1.1 100 Continue\r\n\r\n"};
        const bool written = co_await stream().write(go_on);
        if (!written) stream().close();  // the read below says why
    }
    if (takes_form_) {
        const Result<void> read = co_await receive_form(head);
        stream().set_deadline(net::Stream::kNever);
        if (!read) co_return read.error();
        co_return std::string_view{};
    }
    Result<std::string_view> body =
        co_await http::read_whole_body(connection_, head, core::Source::downstream, kMaxBody, gathered);
    stream().set_deadline(net::Stream::kNever);
    co_return body;
}

Awaitable<Result<void>> Session::receive_form(const http::RequestHead& head) {
    http::BodyReader reader(connection_, head, core::Source::downstream);
    Multipart form(head.fields.value("content-type"));
    while (!reader.done()) {
        const Result<std::string_view> piece = co_await reader.next();
        if (!piece) co_return piece.error();
        stream().set_deadline(now() + kBodyTime);
        if (receipt_) receipt_->add_body(*piece);
        const Result<void> fed = form.feed(*piece);
        if (!fed) co_return fed.error();
        if (reader.bytes() > kMaxForm)
            co_return Error{.code = Code::payload_too_large, .detail = "the form is larger than 512 MiB"};
    }
    reader.finish();
    Result<Upload> upload = form.finish();
    if (!upload) co_return upload.error();
    upload_ = std::move(*upload);
    co_return Result<void>{};
}

Awaitable<void> Session::refuse(http::Connection&, const Error& error) {
    if (error.code == Code::cancelled) co_return;  // nobody reads it
    received_ = now();
    match_ = {};
    begin_record();
    keep_ = false;
    old_client_ = head_request_ = false;
    render_refusal({.status = wire::face_of(error.code).status, .message = error.detail});
    const bool complete = co_await play();
    finish_record(complete);
}

void Session::begin_record() {
    record_ = SendRecord{};
    // What a test asks of the mock itself must not move the numbers, and with them the draws, of the rest.
    if (!is_control()) record_.number = shard_.shared->requests.fetch_add(1, std::memory_order_relaxed) + 1;
    status_ = 200;
    streams_ = false;
    type_ = "application/json";
    plan_ = Plan{};
    model_.clear();
    head_.clear();
    body_.clear();
    if (body_.capacity() > kKeptMemory) body_ = {};
}

void Session::finish_record(bool complete) {
    if (is_control()) return;
    if (complete) count(shard_.answered);
    if (ended_ < received_) ended_ = now();  // nothing was sent
    if (!shard_.shared->log->wanted()) return;
    record_.wall = std::chrono::system_clock::now();
    record_.model = model_;
    record_.fault = fault_name(plan_.fault);
    record_.received_us = std::chrono::floor<core::microseconds>(received_.time_since_epoch()).count();
    record_.end_us = core::elapsed_us(received_, ended_).count();
    record_.complete = complete;
    shard_.shared->log->append(record_);
}

}  // namespace oai::mock
