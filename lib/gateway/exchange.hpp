#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/ids.hpp"
#include "gateway/caller.hpp"
#include "gateway/client_keys.hpp"
#include "gateway/tables.hpp"
#include "gateway/turn_reply.hpp"
#include "http/connection.hpp"
#include "json/scanner.hpp"
#include "metrics/stamps.hpp"
#include "upstream/catalog.hpp"
#include "upstream/scheduler.hpp"
#include "wire/endpoints.hpp"
#include "wire/stream_reader.hpp"

namespace oai::gateway {

struct WorkerState;

/// A request's body, as far as the gateway looks into it.
struct RequestBody {
    std::string_view text;  ///< what of it is here, with readable padding behind
    /// The rest of a body that is passed on as it comes; null when all of it is here.
    std::unique_ptr<http::BodyReader> rest;
    json::Member model;           ///< where the model's name stands
    std::string_view form_model;  ///< the same in a form
    json::Member stream_options;  ///< chat's
    std::string model_name;
    std::string_view previous_response;  ///< an id, or empty
    std::string_view cache_key;          ///< prompt_cache_key
    bool stream = false;
    bool store = true;

    bool passing = false;  ///< something of `rest` went on without being kept
    /// It can be sent again.
    bool repeatable() const noexcept { return !passing; }
};

/// What goes back, and what of it is gone already.
struct Reply {
    bool started = false;    ///< a byte has been written: no other status is possible
    bool committed = false;  ///< bytes of an upstream's answer have been written: no other account is possible
    bool events = false;     ///< it is an event stream: a failure is told in an event
    bool chunked = false;
    bool keep = true;  ///< the connection may carry another request
    int status = 0;
};

/// One try at one account.
struct Attempt {
    const upstream::Account* account = nullptr;
    std::uint32_t ms = 0;
    std::uint16_t status = 0;  ///< of its answer; 0: none came
    core::Code code = {};      ///< with `failed` and no refusal: what happened
    wire::Refusal refusal = wire::Refusal::none;
    bool failed = false;
    bool by_upstream = false;  ///< failed, and neither the request nor the client was the reason
};

/// "ok", or why an attempt failed, in a word.
std::string_view reason_of(const Attempt& attempt) noexcept;

/// One request and its reply. Stages fill it in order; each reads what the earlier ones learned.
struct Exchange {
    Exchange(WorkerState& worker, http::Connection& downstream, const http::RequestHead& request, Caller& caller);
    Exchange(const Exchange&) = delete;

    WorkerState& worker;
    http::Connection& downstream;
    const http::RequestHead& request;
    Caller& caller;
    TurnReply* turn = nullptr;  ///< where the answer goes when the request is a turn of a WebSocket; else null
    /// The configuration this request sees from beginning to end.
    const std::shared_ptr<const Tables> tables;
    const core::RequestId id;

    // route
    const wire::Endpoint* endpoint = nullptr;
    std::string_view rest_path;   ///< the canonical path behind "/v1"
    std::string_view deployment;  ///< of an Azure style path: stands for the model
    std::string_view path_id;
    std::string allow;  ///< the methods a known path wants instead
    // take_turn
    std::string_view message;  ///< of a turn, as its client sent it
    bool warm_up = false;      ///< it wants no output: `"generate": false`
    // authenticate
    const ClientKey* key = nullptr;
    // read_body, validate
    net::Buffer gathered;
    RequestBody body;
    // select_version
    upstream::Selection selection;
    std::uint64_t session = 0;  ///< hash of the session the request belongs to; 0: none
    upstream::Ask ask;
    // forward
    bool hide_usage = false;                        ///< we asked for chat's usage chunk; the client did not
    std::optional<std::chrono::milliseconds> rest;  ///< for the account at hand, asked for by its provider
    std::optional<upstream::Lease> next;            ///< the account to try after the one at hand
    std::array<Attempt, kMostAttempts> attempts{};
    unsigned attempt_count = 0;
    std::array<const upstream::AccountState*, kMostAttempts> tried{};
    Reply reply;
    metrics::Stamps stamps;
    std::optional<core::TimePoint> attempt_start;
    std::optional<core::TimePoint> upstream_end;  ///< when the upstream's last byte was read
    std::optional<wire::Usage> usage;
    bool counted = true;                   ///< false for a WebSocket's opening: its turns are the requests
    std::unique_ptr<core::Error> failure;  ///< what the client was told, or would have been
    /// The reading end of the numbers: outcome, owner, flags. Durations are filled when it settles.
    metrics::Sample sample;

    Attempt& attempt() noexcept { return attempts[attempt_count - 1]; }
    const Attempt& attempt() const noexcept { return attempts[attempt_count - 1]; }
    std::span<const Attempt> all_attempts() const noexcept { return {attempts.data(), attempt_count}; }
    /// The name goes out as the upstream knows it and comes back as the client said it.
    bool is_mapped() const noexcept {
        const bool named = body.model.present() || !body.form_model.empty() || !deployment.empty();
        return named && selection.upstream_model != body.model_name;
    }
};

/// An exchange in memory that its worker keeps and uses again, apart from the frame of the coroutine that serves it:
/// what every stage reads stays together, and an idle connection holds none.
class KeptExchange {
public:
    KeptExchange(WorkerState& worker, http::Connection& downstream, const http::RequestHead& request, Caller& caller);
    ~KeptExchange();
    KeptExchange(const KeptExchange&) = delete;
    Exchange& operator*() const noexcept { return *exchange_; }

private:
    WorkerState& worker_;
    std::unique_ptr<std::byte[]> block_;
    Exchange* exchange_;
};

/// Settles an exchange on every way out, once: whatever became of it is counted.
class SettleOnExit {
public:
    explicit SettleOnExit(Exchange& x) noexcept;
    ~SettleOnExit();
    SettleOnExit(const SettleOnExit&) = delete;

private:
    Exchange& x_;
};

/// Takes an exchange out of the numbers: not open any more, and not settled.
void leave_uncounted(Exchange& x) noexcept;
/// Sets outcome, owner and flags of a request that failed with `error`.
void account_failure(Exchange& x, const core::Error& error);
/// Sets outcome, owner and flags of an answer of the upstream.
void account_answer(Exchange& x, int upstream_status, wire::Ending ending) noexcept;

}  // namespace oai::gateway
