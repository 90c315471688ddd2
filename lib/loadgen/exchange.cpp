#include "loadgen/exchange.hpp"

#include <algorithm>
#include <utility>

#include "core/units.hpp"
#include "http/connection.hpp"
#include "net/stream.hpp"
#include "wire/stream_reader.hpp"

namespace oai::loadgen {

using core::Code;
using core::Error;
using core::Result;
using core::TimePoint;
using metrics::Outcome;
using metrics::Owner;
using net::Awaitable;

namespace {

constexpr std::string_view kPost = "POST";
constexpr std::size_t kMostBodyBytes = std::size_t{32} << 20;

TimePoint now() noexcept {
    return std::chrono::steady_clock::now();
}

bool is_event_stream(const http::ResponseHead& head) noexcept {
    const std::string_view type = head.fields.value("content-type");
    return core::equals_ignore_case(core::trim(type.substr(0, type.find(';'))), "text/event-stream");
}

bool is_2xx(int status) noexcept {
    return status >= 200 && status < 300;
}

/// For failures that brought no words of their own.
std::string default_message(Outcome outcome) {
    switch (outcome) {
        case Outcome::truncated: return "the answer ended without its terminal event";
        case Outcome::stream_error: return "the answer says itself that it failed";
        case Outcome::incomplete: return "the answer is incomplete, and not by the token limit";
        default: return std::string(metrics::name_of(outcome));
    }
}

Error write_error(const http::Connection& connection) {
    if (connection.stream->timed_out())
        return Error{.code = Code::upstream_timeout,
                     .source = core::Source::upstream,
                     .detail = "the request could not be sent in time"};
    return Error{.code = Code::upstream_truncated,
                 .source = core::Source::upstream,
                 .retryable = connection.reused,
                 .detail = "the connection was closed while the request was sent"};
}

Error malformed(std::string detail) {
    return Error{.code = Code::upstream_malformed, .source = core::Source::upstream, .detail = std::move(detail)};
}

}  // namespace

std::vector<RequestPlan> make_plans(const Scenario& scenario, const Target& target) {
    std::vector<RequestPlan> plans;
    for (const ArrivalStream& stream : scenario.streams)
        plans.push_back({.bytes = request_bytes(stream, target, scenario.user_agent),
                         .terminal = wire::match_endpoint(kPost, stream.endpoint).endpoint->terminal,
                         .stream = stream.stream});
    return plans;
}

Owner owner_of(const Answered& answered) noexcept {
    switch (answered.outcome) {
        case Outcome::ok:
        case Outcome::censored:
        case Outcome::dropped: return Owner::none;
        case Outcome::cancelled: return Owner::client;
        case Outcome::incomplete: return answered.token_limited ? Owner::none : Owner::upstream;
        default: break;
    }
    const int status = answered.http_status;
    const bool request_at_fault = status == 400 || status == 404 || status == 413 || status == 422;
    return answered.outcome == Outcome::http_4xx && request_at_fault ? Owner::client : Owner::upstream;
}

metrics::Sample make_sample(metrics::Stamps stamps, const Answered& answered, bool stream, TimePoint deadline) {
    metrics::Sample sample;
    sample.stream = stream;
    Answered as = answered;
    if (as.outcome == Outcome::timeout || (stamps.end && *stamps.end > deadline && as.outcome != Outcome::censored)) {
        as.outcome = Outcome::timeout;
        as.token_limited = false;
        stamps.end = deadline;
    }
    for (auto* stamp : {&stamps.first_byte, &stamps.first_event, &stamps.first_output}) {
        if (*stamp && **stamp > deadline) stamp->reset();
    }
    if (stamps.sent && *stamps.sent > deadline) stamps.sent.reset();
    sample.http_status = as.http_status;
    sample.outcome = as.outcome;
    sample.token_limited = as.token_limited;
    sample.owner = owner_of(as);
    sample.upstream_throttled = as.http_status == 429 || as.http_status == 529;
    sample.upstream_failed = sample.owner == Owner::upstream && !sample.upstream_throttled;
    if (as.usage) {
        sample.input_tokens = as.usage->input_tokens;
        sample.output_tokens = as.usage->output_tokens;
    }
    metrics::fill_durations(sample, stamps, as.usage ? std::optional(as.usage->output_tokens) : std::nullopt);
    return sample;
}

Lane::Flight::Flight(Lane& its_lane, std::uint32_t stream_id, TimePoint scheduled)
    : lane(its_lane),
      plan(its_lane.run_.plans[stream_id]),
      stream(stream_id),
      deadline(scheduled + its_lane.run_.timeout),
      next(its_lane.flights_) {
    stamps.scheduled = scheduled;
    if (next != nullptr) next->previous = this;
    lane.flights_ = this;
}

void Lane::Flight::unlink() noexcept {
    if (!std::exchange(linked, false)) return;
    if (next != nullptr) next->previous = previous;
    (previous != nullptr ? previous->next : lane.flights_) = next;
}

Lane::Lane(RunContext& run, unsigned number) : run_(run), worker_("load " + std::to_string(number)), pool_(worker_) {}

Lane::~Lane() {
    // Sessions use every member: they end first.
    worker_.stop();
    worker_.join();
}

void Lane::begin(std::uint32_t stream, TimePoint scheduled) {
    worker_.spawn(exchange(stream, scheduled));
}

void Lane::censor() {
    const TimePoint at = now();
    while (flights_ != nullptr) {
        Flight& flight = *flights_;
        flight.stamps.end = at;
        flight.answered.outcome = Outcome::censored;
        flight.answered.message = "still in flight when the run ended";
        settle(flight);
    }
}

/// The life of one request, from its slot on the grid to its sample.
Awaitable<void> Lane::exchange(std::uint32_t stream, TimePoint scheduled) {
    Flight flight(*this, stream, scheduled);
    // The generator's own lateness, before a connection is opened: that takes the other side's time.
    const TimePoint begun = now();
    const core::microseconds lag = core::elapsed_us(scheduled, begun);
    log_.lag.record(lag);
    if (lag.count() > run_.lag_max_us.load(std::memory_order_relaxed))
        run_.lag_max_us.store(lag.count(), std::memory_order_relaxed);
    if (begun <= run_.window_end) ++log_.begun_in_time;

    for (bool first_try = true;; first_try = false) {
        std::unique_ptr<http::Connection> connection;
        if (first_try) connection = pool_.take(run_.target.place, std::chrono::steady_clock::now());
        if (!connection) {
            Result<std::unique_ptr<http::Connection>> opened = co_await pool_.open(run_.target.place, flight.deadline);
            if (!opened) {
                settle(flight, opened.error());
                co_return;
            }
            connection = *std::move(opened);
        }
        connection->stream->set_deadline(flight.deadline);
        const Result<void> done = co_await converse(*connection, flight);
        if (done) {
            // Settled first: giving a connection back is not the request's time.
            settle(flight);
            pool_.give(std::move(connection));
            co_return;
        }
        // Only a kept connection that was closed while it rested: nothing of the request was dealt with.
        const bool again = done.error().retryable && first_try && flight.linked;
        if (!again) {
            settle(flight, done.error());
            co_return;
        }
        ++log_.retried;
    }
}

/// Sends the request and reads the answer. Without an error the whole answer was read, `flight` holds what it says, and
/// the connection is closed or at its next message.
Awaitable<Result<void>> Lane::converse(http::Connection& connection, Flight& flight) {
    flight.stamps.sent = now();
    net::Pieces pieces;
    pieces.add(flight.plan.bytes);
    const bool written = co_await connection.stream->write(pieces);
    if (!written) co_return write_error(connection);
    http::ResponseHead& head = connection.response_head();
    const Result<void> read = co_await http::read_response_head(connection, kPost, head);
    if (!read) co_return read.error();
    flight.stamps.first_byte = connection.read_at;
    flight.answered.http_status = static_cast<std::uint16_t>(head.status);
    const bool keep = head.keep_alive;
    const bool events = is_2xx(head.status) && flight.plan.stream && is_event_stream(head);
    Result<void> body;
    if (events) {
        body = co_await read_events(connection, head, flight);
    } else {
        body = co_await read_plain(connection, head, flight);
    }
    if (!body) co_return std::move(body.error());
    if (!keep) connection.stream->close();
    co_return Result<void>{};
}

Awaitable<Result<void>> Lane::read_events(http::Connection& connection, const http::ResponseHead& head,
                                          Flight& flight) {
    wire::StreamReader reader(flight.plan.terminal);
    http::BodyReader body(connection, head, core::Source::upstream);
    const auto on_gap = [&](TimePoint from, TimePoint to) {
        log_.batch.gaps.push_back({.at_us = core::elapsed_us(run_.start, to).count(),
                                   .gap_us = core::elapsed_us(from, to).count(),
                                   .stream_id = flight.stream});
    };
    while (!body.done()) {
        const Result<std::string_view> piece = co_await body.next();
        if (!flight.linked) co_return malformed("censored");  // settled meanwhile: nothing more is measured
        if (!piece) {
            // Its end was told before it was cut. A hang is seen here too, at the deadline.
            if (reader.ending() == wire::Ending::none) co_return piece.error();
            ++log_.closed_after_end;
            connection.stream->close();
            break;
        }
        if (piece->empty()) break;
        const Result<void> fed = reader.feed(*piece, connection.read_at, scanner_, on_gap);
        flight.stamps.first_event = reader.first_event();
        flight.stamps.first_output = reader.first_output();
        flight.stamps.last_output = reader.last_output();
        flight.answered.usage = reader.usage();
        if (!fed) {
            connection.stream->close();
            co_return malformed("not an event stream: " + fed.error().detail);
        }
    }
    body.finish();
    flight.stamps.end = connection.read_at;
    const wire::Ended ended = wire::outcome_of(flight.answered.http_status, reader.ending());
    flight.answered.outcome = ended.outcome;
    flight.answered.token_limited = ended.token_limited;
    if (reader.lacks_done()) ++log_.no_done;
    co_return Result<void>{};
}

Awaitable<Result<void>> Lane::read_plain(http::Connection& connection, const http::ResponseHead& head, Flight& flight) {
    net::Buffer gathered(worker_.buffers());
    const Result<std::string_view> body =
        co_await http::read_whole_body(connection, head, core::Source::upstream, kMostBodyBytes, gathered);
    if (!body) co_return body.error();
    flight.stamps.end = connection.read_at;
    if (flight.linked) judge_plain(*body, flight);
    http::finish_body(connection, *body);
    co_return Result<void>{};
}

/// What an answer without events means.
void Lane::judge_plain(std::string_view body, Flight& flight) {
    Answered& answered = flight.answered;
    const int status = answered.http_status;
    if (is_2xx(status) && !flight.plan.stream) {
        const wire::Answer answer = wire::read_answer(flight.plan.terminal, json::Padded{body}, scanner_);
        const wire::Ended ended = wire::outcome_of(status, answer.ending);
        answered.outcome = answer.is_json ? ended.outcome : Outcome::malformed;
        answered.token_limited = answer.is_json && ended.token_limited;
        answered.usage = answer.usage;
        if (!answer.is_json) answered.message = "the answer is not a JSON object";
        return;
    }
    if (status < 400) {
        answered.outcome = Outcome::malformed;
        answered.message = is_2xx(status) ? "asked for a stream, got another content type"
                                          : "unexpected status " + std::to_string(status);
        return;
    }
    answered.outcome = wire::outcome_of(status, wire::Ending::none).outcome;
    const std::optional<std::string> said = scanner_.find(json::Padded{body}, {"error", "message"}).string();
    answered.message = said && !said->empty() ? *said : "HTTP " + std::to_string(status);
}

/// The request is over and `flight.answered` says how.
void Lane::settle(Flight& flight) {
    if (!flight.linked) return;  // censored before
    flight.unlink();
    metrics::Sample sample = make_sample(flight.stamps, flight.answered, flight.plan.stream, flight.deadline);
    sample.start_us = core::elapsed_us(run_.start, flight.stamps.scheduled).count();
    sample.stream_id = flight.stream;
    if (!sample.is_success()) {
        const bool own_words = sample.outcome == flight.answered.outcome && !flight.answered.message.empty();
        const std::string message = own_words ? flight.answered.message : default_message(sample.outcome);
        log_.errors.add(sample.outcome, sample.http_status, presentable(message, run_.target.api_key));
        run_.failed.fetch_add(1, std::memory_order_relaxed);
    }
    log_.batch.samples.push_back(sample);
    run_.finished.fetch_add(1, std::memory_order_relaxed);
    // Last, and released: whoever sees 0 in flight finds every sample in its batch.
    run_.in_flight.fetch_sub(1, std::memory_order_release);
}

void Lane::settle(Flight& flight, const Error& error) {
    flight.stamps.end = now();
    // A connection that was not made by the deadline is a timeout like any other: that is what the user saw.
    flight.answered.outcome = *flight.stamps.end >= flight.deadline ? Outcome::timeout : wire::outcome_of(error);
    flight.answered.message = error.detail;
    settle(flight);
}

}  // namespace oai::loadgen
