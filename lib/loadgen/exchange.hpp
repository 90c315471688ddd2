#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "http/pool.hpp"
#include "json/scanner.hpp"
#include "loadgen/recorder.hpp"
#include "loadgen/target.hpp"
#include "metrics/stamps.hpp"
#include "net/worker.hpp"
#include "wire/answer.hpp"
#include "wire/endpoints.hpp"

namespace oai::loadgen {

/// What all requests of one stream of arrivals share, worked out once.
struct RequestPlan {
    std::string bytes;
    wire::Terminal terminal = wire::Terminal::none;
    bool stream = false;
};
std::vector<RequestPlan> make_plans(const Scenario& scenario, const Target& target);

/// What every worker of a run knows. Times are set before the first arrival and do not change.
struct RunContext {
    Target target;
    std::vector<RequestPlan> plans;
    nanoseconds timeout{};
    core::TimePoint start{};       ///< clock base: the instant of the first slot
    core::TimePoint window_end{};  ///< a request begun later was not begun in time
    std::atomic<std::uint32_t> in_flight{0};
    std::atomic<std::uint64_t> finished{0};
    std::atomic<std::uint64_t> failed{0};
    std::atomic<std::int64_t> lag_max_us{0};
};

/// What was seen of an answer, and what came of it.
struct Answered {
    metrics::Outcome outcome = metrics::Outcome::ok;
    bool token_limited = false;
    std::uint16_t http_status = 0;
    std::optional<wire::Usage> usage = {};
    std::string message = {};  ///< of a failure
};

/// Whose fault a failed answer is, as far as the one who asked can know: a 400, 404, 413 or 422 is the request's,
/// anything else is a failure of the side that was asked. Which part of it (gateway, provider) only that side can tell.
metrics::Owner owner_of(const Answered& answered) noexcept;

/// The sample of a request. What is stamped after `deadline` came too late: the sweep that closes late connections runs
/// every 50 ms, and its phase must not decide an outcome. A timeout has taken exactly its timeout.
metrics::Sample make_sample(metrics::Stamps stamps, const Answered& answered, bool stream, core::TimePoint deadline);

/// One I/O thread of a run with its connections, and the requests in flight on it.
class Lane {
public:
    Lane(RunContext& run, unsigned number);
    ~Lane();  ///< stops and joins
    Lane(const Lane&) = delete;

    net::Worker& worker() noexcept { return worker_; }
    WorkerLog& log() noexcept { return log_; }

    /// On the worker: starts the request of an arrival. It ends by itself, within the timeout.
    void begin(std::uint32_t stream, core::TimePoint scheduled);
    /// On the worker: everything in flight becomes `censored`, as of now.
    void censor();

private:
    /// A request in flight. It lies in its coroutine's frame and in the lane's list until it is settled.
    struct Flight {
        Flight(Lane& lane, std::uint32_t stream_id, core::TimePoint scheduled);
        ~Flight() { unlink(); }
        Flight(const Flight&) = delete;
        void unlink() noexcept;

        Lane& lane;
        const RequestPlan& plan;
        std::uint32_t stream;
        core::TimePoint deadline;
        metrics::Stamps stamps;
        Answered answered;
        bool linked = true;
        Flight* next = nullptr;
        Flight* previous = nullptr;
    };

    net::Awaitable<void> exchange(std::uint32_t stream, core::TimePoint scheduled);
    net::Awaitable<core::Result<void>> converse(http::Connection& connection, Flight& flight);
    net::Awaitable<core::Result<void>> read_events(http::Connection& connection, const http::ResponseHead& head,
                                                   Flight& flight);
    net::Awaitable<core::Result<void>> read_plain(http::Connection& connection, const http::ResponseHead& head,
                                                  Flight& flight);
    void judge_plain(std::string_view body, Flight& flight);
    void settle(Flight& flight);
    void settle(Flight& flight, const core::Error& error);

    RunContext& run_;
    WorkerLog log_;
    json::Scanner scanner_;
    Flight* flights_ = nullptr;
    net::Worker worker_;
    http::Pool pool_;  ///< behind the worker: its connections are on the worker's list
};

}  // namespace oai::loadgen
