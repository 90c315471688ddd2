#include "gateway/exchange.hpp"
#include "gateway/worker_state.hpp"
#include "wire/answer.hpp"
#include "wire/error_body.hpp"

namespace oai::gateway {

using core::Code;
using metrics::Outcome;
using metrics::Owner;

namespace {

/// Statuses by which a provider says that the request itself is wrong: the caller's failure, not a failure of the
/// service.
bool is_clients_fault(int status) noexcept {
    return status == 400 || status == 404 || status == 405 || status == 409 || status == 413 || status == 415 ||
           status == 422;
}

}  // namespace

Exchange::Exchange(WorkerState& on, http::Connection& from, const http::RequestHead& head, Caller& who)
    : worker(on),
      downstream(from),
      request(head),
      caller(who),
      tables(on.tables),
      id(on.net.ids()),
      gathered(on.net.buffers()) {
    // When the head's last bytes came: MEASUREMENT's start.
    stamps.scheduled = from.read_at;
    reply.keep = head.keep_alive && !on.draining;
    sample.outcome = Outcome::cancelled;
    sample.owner = Owner::client;
}

void account_failure(Exchange& x, const core::Error& error) {
    x.failure = std::make_unique<core::Error>(error);
    metrics::Sample& sample = x.sample;
    sample.outcome = wire::outcome_of(error);
    sample.token_limited = false;
    switch (error.source) {
        case core::Source::downstream: sample.owner = Owner::client; break;
        case core::Source::upstream: sample.owner = Owner::upstream; break;
        case core::Source::internal: sample.owner = Owner::gateway; break;
    }
    sample.business_limited =
        error.code == Code::unauthorized || error.code == Code::forbidden || error.code == Code::rate_limited;
    if (error.source == core::Source::upstream) {
        const bool throttled = error.code == Code::upstream_throttled;
        sample.upstream_failed = sample.upstream_failed || !throttled;
        sample.upstream_throttled = sample.upstream_throttled || throttled;
    }
}

void account_answer(Exchange& x, int upstream_status, wire::Ending ending) noexcept {
    const wire::Ended ended = wire::outcome_of(upstream_status, ending);
    metrics::Sample& sample = x.sample;
    sample.outcome = ended.outcome;
    sample.token_limited = ended.token_limited;
    const bool success = sample.is_success();
    const bool clients = is_clients_fault(upstream_status) || ended.outcome == Outcome::cancelled;
    sample.owner = success ? Owner::none : clients ? Owner::client : Owner::upstream;
    const bool throttled = upstream_status == 429 || upstream_status == 529;
    sample.upstream_throttled = sample.upstream_throttled || throttled;
    sample.upstream_failed = sample.upstream_failed || (sample.owner == Owner::upstream && !throttled);
}

namespace {

/// For the drill-down: what became of the request, and of each attempt.
void note_failure(const Exchange& x) {
    // A client that left before anything, or asked for the end itself.
    if (x.sample.outcome == Outcome::cancelled && (x.attempt_count == 0 || !x.failure)) return;
    ops::ErrorRecord record;
    record.at = x.worker.shared.clock.wall_now();
    record.request_id = x.id.view();
    record.path = x.request.path;
    if (x.selection.version != nullptr) {
        record.platform = wire::name_of(x.selection.version->dialect);
        record.provider = x.selection.version->provider;
        record.version = x.selection.version->version;
        record.model = x.body.model_name;
    }
    if (x.endpoint != nullptr) record.endpoint = x.endpoint->name;
    record.owner = metrics::name_of(x.sample.owner);
    record.code =
        x.failure ? wire::face_of(x.failure->code).code : std::string_view(metrics::name_of(x.sample.outcome));
    record.message = x.failure ? x.failure->detail : std::string();
    record.status = x.reply.status;
    record.stream = x.body.stream;
    record.business_limited = x.sample.business_limited;
    record.upstream_failed = x.sample.upstream_failed || x.sample.upstream_throttled;
    for (const Attempt& attempt : x.all_attempts())
        record.attempts.push_back({attempt.account->name, attempt.status, attempt.ms, std::string(reason_of(attempt))});
    x.worker.shared.errors.add(std::move(record));
}

}  // namespace

KeptExchange::KeptExchange(WorkerState& worker, http::Connection& downstream, const http::RequestHead& request,
                           Caller& caller)
    : worker_(worker) {
    static_assert(alignof(Exchange) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
    if (worker.exchange_blocks.empty()) {
        block_ = std::make_unique<std::byte[]>(sizeof(Exchange));
    } else {
        block_ = std::move(worker.exchange_blocks.back());
        worker.exchange_blocks.pop_back();
    }
    exchange_ = new (block_.get()) Exchange(worker, downstream, request, caller);
}

KeptExchange::~KeptExchange() {
    constexpr std::size_t kKept = 256;
    exchange_->~Exchange();
    if (worker_.exchange_blocks.size() < kKept) worker_.exchange_blocks.push_back(std::move(block_));
}

std::string_view reason_of(const Attempt& attempt) noexcept {
    if (!attempt.failed) return "ok";
    if (attempt.refusal != wire::Refusal::none) return wire::name_of(attempt.refusal);
    return wire::face_of(attempt.code).code;
}

SettleOnExit::SettleOnExit(Exchange& x) noexcept : x_(x) {
    x_.worker.intake.begin();
}

void leave_uncounted(Exchange& x) noexcept {
    x.counted = false;
    x.worker.intake.end();
}

namespace {

metrics::Attempts attempts_of(const Exchange& x) noexcept {
    metrics::Attempts attempts{.stream = x.body.stream, .count = x.attempt_count};
    for (const Attempt& attempt : x.all_attempts()) attempts.failed += attempt.by_upstream ? 1 : 0;
    return attempts;
}

}  // namespace

SettleOnExit::~SettleOnExit() {
    Exchange& x = x_;
    if (!x.counted) return;
    // An attempt that succeeded ended with the last byte of the answer.
    if (!x.stamps.end) x.stamps.end = x.worker.shared.clock.now();
    const core::TimePoint end = *x.stamps.end;
    metrics::Sample& sample = x.sample;
    sample.stream = x.body.stream;
    sample.http_status = static_cast<std::uint16_t>(x.reply.status);
    std::optional<std::uint32_t> output_tokens;
    if (x.usage) {
        sample.input_tokens = x.usage->input_tokens;
        sample.output_tokens = x.usage->output_tokens;
        output_tokens = x.usage->output_tokens;
    }
    metrics::fill_durations(sample, x.stamps, output_tokens);
    sample.service_us = -1;  // the gateway's clock starts at the head; `service` is the load generator's
    if (x.attempt_start) sample.queue_us = core::elapsed_us(x.stamps.scheduled, *x.attempt_start).count();
    if (x.stamps.sent && x.upstream_end)
        sample.overhead_us = core::elapsed_us(core::TimePoint{}, core::TimePoint{(*x.stamps.sent - x.stamps.scheduled) +
                                                                                 (end - *x.upstream_end)})
                                 .count();
    if (!sample.is_success() || sample.upstream_failed || sample.upstream_throttled) note_failure(x);
    sample.stream_id = x.worker.series.find(x.worker.shared.collector, x, x.selection.version);
    x.worker.intake.add(end, sample);
    // Fail-over never leaves the version: its attempts are those of this one.
    if (x.attempt_count != 0) x.worker.intake.add_attempts(end, sample.stream_id, attempts_of(x));
    x.worker.intake.end();
}

ops::SeriesId SeriesCache::find(ops::Collector& collector, const Exchange& x, const upstream::Version* version) {
    const std::string_view group = x.key == nullptr ? std::string_view{} : std::string_view(x.key->group);
    // A model no version serves is a name from outside: it gets no series of its own.
    const std::string_view model = version == nullptr ? std::string_view{} : std::string_view(x.body.model_name);
    const std::size_t hash = std::hash<std::string_view>{}(model) ^ reinterpret_cast<std::uintptr_t>(version) >> 4;
    Entry& entry = entries_[hash % entries_.size()];
    if (entry.used && entry.version == version && entry.endpoint == x.endpoint && entry.model == model &&
        entry.group == group)
        return entry.id;
    ops::SeriesKey key;
    if (version != nullptr) {
        key.platform = wire::name_of(version->dialect);
        key.provider = version->provider;
        key.version = version->version;
    }
    key.model = model;
    if (x.endpoint != nullptr) {
        key.endpoint = x.endpoint->name;
        // A request that no version could take still is a request of its dialect: a guard that asks for a platform must
        // see it fail.
        if (key.platform.empty()) key.platform = wire::name_of(x.endpoint->dialect);
    }
    key.group = group;
    entry = Entry{.version = version,
                  .endpoint = x.endpoint,
                  .model = key.model,
                  .group = key.group,
                  .id = collector.series(key),
                  .used = true};
    return entry.id;
}

}  // namespace oai::gateway
