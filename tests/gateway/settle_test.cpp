#include <doctest/doctest.h>

#include "gateway/exchange.hpp"
#include "gateway/worker_state.hpp"
#include "store/open.hpp"

using namespace oai;
using namespace oai::gateway;
using metrics::Outcome;
using metrics::Owner;

namespace {

/// A worker that runs nothing, and one connection whose other end is closed.
struct Fixture {
    core::ManualClock clock;
    Shared shared{clock, std::move(*store::open("memory:")), *load_keys([] {
                      Config config;
                      config.store_url = "memory:";
                      return config;
                  }())};
    WorkerState worker{shared, std::make_shared<Tables>()};
    http::Connection connection{worker.net, net::Socket(worker.net.executor())};
    http::RequestHead head;
    Caller caller;

    Fixture() { connection.read_at = clock.now(); }

    metrics::Counts counts() {
        return shared.collector
            .query({}, clock.wall_now() - std::chrono::minutes{5}, clock.wall_now() + std::chrono::seconds{1})
            .tally->counts();
    }
};

}  // namespace

TEST_CASE("an exchange is counted once on every way out; one that nobody finished is the client's leaving") {
    Fixture f;
    {
        Exchange x(f.worker, f.connection, f.head, f.caller);
        const SettleOnExit settle(x);
        CHECK(f.worker.intake.open() == 1);
    }
    CHECK(f.worker.intake.open() == 0);
    CHECK(f.counts().sent == 1);
    CHECK(f.counts().outcome(Outcome::cancelled) == 1);
    CHECK(f.counts().client_errors == 1);
}

TEST_CASE("whose failure it is follows from where it was known") {
    struct Row {
        core::Code code;
        core::Source source;
        Outcome outcome;
        Owner owner;
        bool business_limited, upstream_failed;
    };
    const Row rows[] = {
        {core::Code::unauthorized, core::Source::downstream, Outcome::http_4xx, Owner::client, true, false},
        {core::Code::invalid_request, core::Source::downstream, Outcome::http_4xx, Owner::client, false, false},
        {core::Code::connect_failed, core::Source::upstream, Outcome::connect_error, Owner::upstream, false, true},
        {core::Code::tls_failed, core::Source::upstream, Outcome::tls_error, Owner::upstream, false, true},
        {core::Code::upstream_truncated, core::Source::upstream, Outcome::truncated, Owner::upstream, false, true},
        {core::Code::upstream_timeout, core::Source::upstream, Outcome::timeout, Owner::upstream, false, true},
        {core::Code::upstream_malformed, core::Source::upstream, Outcome::malformed, Owner::upstream, false, true},
        {core::Code::unavailable, core::Source::internal, Outcome::http_5xx, Owner::gateway, false, false},
        {core::Code::cancelled, core::Source::downstream, Outcome::cancelled, Owner::client, false, false},
    };
    for (const Row& row : rows) {
        CAPTURE(static_cast<int>(row.code));
        Fixture f;
        Exchange x(f.worker, f.connection, f.head, f.caller);
        account_failure(x, core::Error{.code = row.code, .source = row.source});
        CHECK(x.sample.outcome == row.outcome);
        CHECK(x.sample.owner == row.owner);
        CHECK(x.sample.business_limited == row.business_limited);
        CHECK(x.sample.upstream_failed == row.upstream_failed);
    }
}

TEST_CASE("an upstream's status says whose failure an answer is") {
    struct Row {
        int status;
        wire::Ending ending;
        Outcome outcome;
        Owner owner;
        bool failed, throttled;
    };
    const Row rows[] = {
        {200, wire::Ending::completed, Outcome::ok, Owner::none, false, false},
        {200, wire::Ending::token_limit, Outcome::incomplete, Owner::none, false, false},
        {200, wire::Ending::incomplete, Outcome::incomplete, Owner::upstream, true, false},
        {200, wire::Ending::failed, Outcome::stream_error, Owner::upstream, true, false},
        {400, wire::Ending::completed, Outcome::http_4xx, Owner::client, false, false},
        {422, wire::Ending::completed, Outcome::http_4xx, Owner::client, false, false},
        {429, wire::Ending::completed, Outcome::http_429, Owner::upstream, false, true},
        {529, wire::Ending::completed, Outcome::http_5xx, Owner::upstream, false, true},
        {503, wire::Ending::completed, Outcome::http_5xx, Owner::upstream, true, false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.status);
        Fixture f;
        Exchange x(f.worker, f.connection, f.head, f.caller);
        account_answer(x, row.status, row.ending);
        CHECK(x.sample.outcome == row.outcome);
        CHECK(x.sample.owner == row.owner);
        CHECK(x.sample.upstream_failed == row.failed);
        CHECK(x.sample.upstream_throttled == row.throttled);
    }
}
