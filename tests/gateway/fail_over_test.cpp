// What becomes of a request when accounts fail: the fault, the kind of request and the number of accounts in a table.
#include <doctest/doctest.h>

#include "gateway/site.hpp"

using namespace oai;
using namespace oai::gateway;
using namespace oai::gateway::test;
using namespace std::chrono_literals;

namespace {

/// What became of the account that failed, as `explain` says it.
std::string reason_of_first(const Site& site) {
    const json::Value explained = site.admin("/explain?model=m");
    const json::Value* accounts = explained.find_path("data.accounts");
    REQUIRE(accounts != nullptr);
    return std::string(*accounts->items()[0].find("reason")->as_string());
}

/// Usage of the one request, as it was charged: input + output.
std::int64_t charged(const json::Value& overview) {
    return number(overview, "data.token_consumed");
}

}  // namespace

TEST_CASE("fault matrix: what the client saw, how often upstreams were asked, what was charged, what the numbers say") {
    struct Row {
        const char* fault;  ///< of the first account, by its name in the mock
        bool stream;
        std::size_t accounts;
        int status;                   ///< the client's
        const char* holds;            ///< in the answer
        std::uint64_t first, second;  ///< requests each account got
        bool charged;
        std::int64_t errors, upstream_errors, throttled;
        const char* treated;  ///< the first account afterwards
    };
    const char* done = "\"status\":\"completed\"";
    const char* event = "event: response.completed";
    const char* cut = "upstream_truncated";
    const Row rows[] = {
        // Nothing wrong.
        {"none", false, 2, 200, done, 1, 0, true, 0, 0, 0, "eligible"},
        {"none", true, 2, 200, event, 1, 0, true, 0, 0, 0, "eligible"},
        // Refusals by status. Of one account they reach the client, of several they do not.
        {"error-500", false, 1, 500, "server_error", 1, 0, false, 1, 1, 0, "eligible"},
        {"error-500", true, 1, 500, "server_error", 1, 0, false, 1, 1, 0, "eligible"},
        {"error-500", false, 2, 200, done, 1, 1, true, 0, 1, 0, "eligible"},
        {"error-500", true, 2, 200, event, 1, 1, true, 0, 1, 0, "eligible"},
        {"error-503", false, 1, 503, "error", 1, 0, false, 1, 1, 0, "throttled"},
        {"error-503", true, 2, 200, event, 1, 1, true, 0, 1, 0, "throttled"},
        {"error-529", false, 1, 529, "error", 1, 0, false, 1, 0, 1, "eligible"},
        {"error-529", true, 2, 200, event, 1, 1, true, 0, 0, 1, "eligible"},
        {"error-429-seconds-30s", false, 1, 429, "rate_limit", 1, 0, false, 1, 0, 1, "resting"},
        {"error-429-ms-30s", false, 2, 200, done, 1, 1, true, 0, 0, 1, "resting"},
        {"error-429-date-30s", true, 2, 200, event, 1, 1, true, 0, 0, 1, "resting"},
        {"error-429-reset-30s", true, 2, 200, event, 1, 1, true, 0, 0, 1, "resting"},
        {"error-429-codex-30s", false, 2, 200, done, 1, 1, true, 0, 0, 1, "resting"},
        {"error-429-body-30s", false, 1, 429, "usage_limit", 1, 0, false, 1, 0, 1, "resting"},
        {"error-429-body-30s", false, 2, 200, done, 1, 1, true, 0, 0, 1, "resting"},
        {"error-429-body-30s", true, 2, 200, event, 1, 1, true, 0, 0, 1, "resting"},
        {"error-429-no-hint", false, 2, 200, done, 1, 1, true, 0, 0, 1, "throttled"},
        {"error-401", false, 1, 502, "credential", 1, 0, false, 1, 1, 0, "credential_refused"},
        {"error-401", true, 2, 200, event, 1, 1, true, 0, 1, 0, "credential_refused"},
        {"error-402", false, 2, 200, done, 1, 1, true, 0, 1, 0, "credential_refused"},
        {"error-403", false, 2, 200, done, 1, 1, true, 0, 1, 0, "credential_refused"},
        // The request's own fault is nobody else's business.
        {"error-400", false, 2, 400, "error", 1, 0, false, 0, 0, 0, "eligible"},
        {"error-404", true, 2, 404, "error", 1, 0, false, 0, 0, 0, "eligible"},
        {"error-422", false, 2, 422, "error", 1, 0, false, 0, 0, 0, "eligible"},
        {"error-409", false, 2, 409, "error", 1, 0, false, 0, 0, 0, "eligible"},
        // A 200 that is none.
        {"error-in-200", false, 1, 200, "error", 1, 0, false, 1, 1, 0, "eligible"},
        {"error-in-200", false, 2, 200, done, 1, 1, true, 0, 1, 0, "eligible"},
        {"non-json", false, 1, 502, "upstream_malformed", 1, 0, false, 1, 1, 0, "eligible"},
        {"non-json", false, 2, 200, done, 1, 1, true, 0, 1, 0, "eligible"},
        {"half-json", false, 1, 502, "upstream_malformed", 1, 0, false, 1, 1, 0, "eligible"},
        {"half-json", false, 2, 200, done, 1, 1, true, 0, 1, 0, "eligible"},
        {"capacity", false, 2, 200, done, 1, 1, true, 0, 1, 0, "eligible"},
        {"capacity", true, 2, 200, event, 1, 1, true, 0, 1, 0, "eligible"},
        {"first-event-error", true, 1, 200, "event: error", 1, 0, false, 1, 1, 0, "eligible"},
        {"first-event-error", true, 2, 200, event, 1, 1, true, 0, 1, 0, "eligible"},
        {"failed-event-before-output", true, 2, 200, event, 1, 1, true, 0, 1, 0, "eligible"},
        // Bytes that go wrong before the first output.
        {"cut-before-head", false, 1, 502, cut, 1, 0, false, 1, 1, 0, "eligible"},
        {"cut-before-head", false, 2, 200, done, 1, 1, true, 0, 1, 0, "eligible"},
        {"reset-before-head", true, 2, 200, event, 1, 1, true, 0, 1, 0, "eligible"},
        {"truncated-json", false, 1, 502, cut, 1, 0, false, 1, 1, 0, "eligible"},
        {"truncated-json", false, 2, 200, done, 1, 1, true, 0, 1, 0, "eligible"},
        {"cut-before-output", true, 1, 200, cut, 1, 0, false, 1, 1, 0, "eligible"},
        {"cut-before-output", true, 2, 200, event, 1, 1, true, 0, 1, 0, "eligible"},
        {"reset-before-output", true, 2, 200, event, 1, 1, true, 0, 1, 0, "eligible"},
        {"bad-chunk-before-output", true, 2, 200, event, 1, 1, true, 0, 1, 0, "eligible"},
        {"hang", false, 2, 504, "upstream_timeout", 1, 0, false, 1, 1, 0, "eligible"},
        {"hang", true, 1, 504, "upstream_timeout", 1, 0, false, 1, 1, 0, "eligible"},
        {"hang", true, 2, 200, event, 1, 1, true, 0, 1, 0, "eligible"},
        {"stall-before-output", true, 2, 200, event, 1, 1, true, 0, 1, 0, "eligible"},
        {"ping-only", true, 1, 200, "upstream_timeout", 1, 0, false, 1, 1, 0, "eligible"},
        {"ping-only", true, 2, 200, event, 1, 1, true, 0, 1, 0, "eligible"},
        {"slow-head-5s", true, 2, 200, event, 1, 1, true, 0, 1, 0, "eligible"},
        {"unasked-101", false, 1, 502, "upstream_malformed", 1, 0, false, 1, 1, 0, "eligible"},
        {"unasked-101", false, 2, 200, done, 1, 1, true, 0, 1, 0, "eligible"},
        {"unasked-101", true, 2, 200, event, 1, 1, true, 0, 1, 0, "eligible"},
        // After output: an error event, never a second answer. What was delivered is charged.
        {"cut-after-3", true, 2, 200, cut, 1, 0, true, 1, 1, 0, "eligible"},
        {"reset-after-3", true, 2, 200, cut, 1, 0, true, 1, 1, 0, "eligible"},
        {"bad-chunk-after-3", true, 2, 200, "upstream_malformed", 1, 0, true, 1, 1, 0, "eligible"},
        {"stall-after-3", true, 2, 200, "upstream_timeout", 1, 0, true, 1, 1, 0, "eligible"},
        {"late-error-after-3", true, 2, 200, "event: error", 1, 0, true, 1, 1, 0, "eligible"},
        {"no-terminal", true, 2, 200, cut, 1, 0, true, 1, 1, 0, "eligible"},
        // Unusual, and right.
        {"gzip", false, 2, 200, done, 1, 0, true, 0, 0, 0, "eligible"},
        {"gzip", true, 2, 200, event, 1, 0, true, 0, 0, 0, "eligible"},
        {"huge-event", true, 2, 200, event, 1, 0, true, 0, 0, 0, "eligible"},
        {"done-event", true, 2, 200, "event: response.done", 1, 0, true, 0, 0, 0, "eligible"},
        {"cancelled-event", true, 2, 200, "event: response.cancelled", 1, 0, true, 0, 0, 0, "eligible"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.fault));
        CAPTURE(row.stream);
        CAPTURE(row.accounts);
        const Site site(row.accounts);
        mock::FaultRates faults;
        const auto fault = mock::parse_fault(row.fault);
        REQUIRE(fault);
        faults.more.push_back({.share_bp = 10'000, .fault = *fault});
        site.upstreams[0]->set_faults(faults);
        const http::ClientResponse response = site.ask(row.stream);
        CHECK(reason_of_first(site) == row.treated);  // at once: some of it holds for a second
        const std::string seen = response.body.substr(0, 600);
        CAPTURE(seen);
        CHECK(response.status == row.status);
        CHECK(response.body.find(row.holds) != std::string::npos);
        if (row.stream && row.errors != 0) CHECK(response.body.find("event: response.completed") == std::string::npos);
        CHECK(site.requests(0) == row.first);
        if (row.accounts > 1) CHECK(site.requests(1) == row.second);
        if (row.second != 0) CHECK(response.header("x-oaigw-attempts").find("reason=") != std::string_view::npos);
        const json::Value overview = site.admin("/dashboard/overview?time_range=5m");
        CHECK((charged(overview) > 0) == row.charged);
        CHECK(number(overview, "data.error_count_sla") == row.errors);
        CHECK(number(overview, "data.upstream_error_count_excl_429_529") == row.upstream_errors);
        CHECK(number(overview, "data.upstream_throttled_count") == row.throttled);
        CHECK(number(overview, "data.upstream_attempt_count") == static_cast<std::int64_t>(row.first + row.second));
        CHECK(number(overview, "data.upstream_attempt_failure_count") == row.upstream_errors + row.throttled);
        const json::Value drill = site.admin("/upstream-errors");
        const bool shown = row.upstream_errors + row.throttled > 0;
        CHECK(number(drill, "data.total") == (shown ? 1 : 0));
        if (shown) {
            const json::Value& item = drill.find_path("data.items")->items()[0];
            CHECK(item.find("attempts")->items().size() == row.first + row.second);
            CHECK(item.find("attempts")->items()[0].find("account")->as_string() == "a0");
            CHECK(item.find("recovered")->as_bool() == (row.errors == 0));
        }
    }
}

TEST_CASE("fail-over is bounded by attempts, and retries by their budget") {
    const Site site(6, [](Config& config) { config.failover.max_attempts = 3; });
    mock::FaultRates faults;
    faults.more.push_back({.share_bp = 10'000, .fault = *mock::parse_fault("error-500")});
    for (const auto& upstream : site.upstreams) upstream->set_faults(faults);
    CHECK(site.ask(false).status == 500);
    std::uint64_t asked = 0;
    for (std::size_t i = 0; i < 6; ++i) asked += site.requests(i);
    CHECK(asked == 3);
    // Ten retries to begin with, and a fifth of the requests: of 40 requests some are not tried again.
    for (int i = 0; i < 39; ++i) CHECK(site.ask(false).status == 500);
    asked = 0;
    for (std::size_t i = 0; i < 6; ++i) asked += site.requests(i);
    CHECK(asked >= 40 + 10);
    CHECK(asked <= 40 + 10 + 8);
}

TEST_CASE("an account that fails gets no more traffic, and is tried again after its cooldown") {
    const Site site(2, [](Config& config) {
        config.breaker.cooldown = 200ms;
        config.breaker.successes_to_close = 1;
        config.failover.retry_budget_bp = 10'000;
    });
    mock::FaultRates faults;
    faults.more.push_back({.share_bp = 10'000, .fault = *mock::parse_fault("error-500")});
    site.upstreams[0]->set_faults(faults);
    for (int i = 0; i < 3; ++i) CHECK(site.ask(false).status == 200);
    CHECK(reason_of_first(site) == "breaker_open");
    const std::uint64_t before = site.requests(0);
    for (int i = 0; i < 5; ++i) CHECK(site.ask(false).status == 200);
    CHECK(site.requests(0) == before);
    site.upstreams[0]->set_faults({});
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (site.requests(0) == before && std::chrono::steady_clock::now() < until) CHECK(site.ask(false).status == 200);
    CHECK(site.requests(0) > before);
    CHECK(reason_of_first(site) == "eligible");
}
