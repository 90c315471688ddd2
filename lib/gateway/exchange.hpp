#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/ids.hpp"
#include "gateway/client_keys.hpp"
#include "gateway/tables.hpp"
#include "http/connection.hpp"
#include "json/scanner.hpp"
#include "metrics/stamps.hpp"
#include "upstream/catalog.hpp"
#include "wire/endpoints.hpp"
#include "wire/stream_reader.hpp"

namespace oai::gateway {

struct WorkerState;

/// A request's body, as far as the gateway looks into it.
struct RequestBody {
    std::string_view text;  ///< all of it, with readable padding behind
    json::Member model;     ///< where the model's name stands
    std::string model_name;
    bool stream = false;
};

/// What goes back, and what of it is gone already.
struct Reply {
    bool started = false;  ///< a byte has been written: no other answer is possible
    bool keep = true;      ///< the connection may carry another request
    int status = 0;
};

/// One request and its reply. Stages fill it in order; each reads what the earlier ones learned.
struct Exchange {
    Exchange(WorkerState& worker, http::Connection& downstream, const http::RequestHead& request);
    Exchange(const Exchange&) = delete;

    WorkerState& worker;
    http::Connection& downstream;
    const http::RequestHead& request;
    /// The configuration this request sees from beginning to end.
    const std::shared_ptr<const Tables> tables;
    const core::RequestId id;

    // route
    const wire::Endpoint* endpoint = nullptr;
    std::string_view path_id;
    std::string_view allow;  ///< the method a known path wants instead
    // authenticate
    const ClientKey* key = nullptr;
    // read_body, validate
    net::Buffer gathered;
    RequestBody body;
    // select_version
    upstream::Selection selection;
    // forward
    Reply reply;
    metrics::Stamps stamps;
    std::optional<core::TimePoint> attempt_start;
    std::optional<core::TimePoint> upstream_end;  ///< when the upstream's last byte was read
    std::optional<wire::Usage> usage;
    /// The reading end of the numbers: outcome, owner, flags. Durations are filled when it settles.
    metrics::Sample sample;
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

/// Sets outcome, owner and flags of a request that failed with `error`.
void account_failure(Exchange& x, const core::Error& error) noexcept;
/// Sets outcome, owner and flags of an answer of the upstream.
void account_answer(Exchange& x, int upstream_status, wire::Ending ending) noexcept;

}  // namespace oai::gateway
