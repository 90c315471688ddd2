// What happens while a stream waits, and when its client does not.
#include <atomic>
#include <thread>

#include <doctest/doctest.h>

#include "gateway/site.hpp"
#include "integration/raw_client.hpp"
#include "net/connect.hpp"

using namespace oai;
using namespace oai::gateway;
using namespace oai::gateway::test;

namespace {

void fault(const Site& site, std::size_t account, const char* name) {
    mock::FaultRates faults;
    faults.more.push_back({.share_bp = 10'000, .fault = *mock::parse_fault(name)});
    site.upstreams[account]->set_faults(faults);
}

std::size_t count(std::string_view text, std::string_view what) {
    std::size_t n = 0;
    for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++n;
    return n;
}

bool comes_true(const std::function<bool()>& what) {
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (std::chrono::steady_clock::now() < until) {
        if (what()) return true;
        std::this_thread::sleep_for(10ms);
    }
    return false;
}

/// Sends a streaming request and leaves once `what` has arrived.
void ask_and_leave(const Site& site, std::string_view what) {
    net::Worker worker("client");
    struct Session {
        static net::Awaitable<void> run(net::Worker& w, std::uint16_t port, std::string_view until) {
            const core::TimePoint deadline = std::chrono::steady_clock::now() + 10s;
            core::Result<std::unique_ptr<net::Stream>> stream = co_await net::connect(w, "127.0.0.1", port, deadline);
            if (stream) {
                (*stream)->set_deadline(deadline);
                const std::string body = R"({"model":"m","input":"hi","stream":true})";
                const std::string request =
                    "POST /v1/responses HTTP/1.1\r\nhost: g\r\nauthorization: Bearer "
                    "sk-test-key\r\ncontent-type: application/json\r\ncontent-length: " +
                    std::to_string(body.size()) + "\r\n\r\n" + body;
                const net::Pieces pieces{request};
                co_await (*stream)->write(pieces);
                std::string seen(65536, '\0');
                std::size_t size = 0;
                while (seen.find(until) == std::string::npos && size < seen.size()) {
                    const std::size_t n = co_await (*stream)->read_some(std::span(seen).subspan(size));
                    if (n == 0) break;
                    size += n;
                }
                (*stream)->close();
            }
            w.stop();
        }
    };
    worker.spawn(Session::run(worker, site.gateway->address().port, what));
    worker.run();
}

}  // namespace

TEST_CASE("comments keep a client company while the upstream thinks, and are neither output nor an end to fail-over") {
    const auto soon = [](Config& config) {
        config.stream.keepalive = 60ms;
        config.timeouts.first_output = 600ms;
        config.timeouts.total = 5s;
    };
    SUBCASE("before the head of the answer") {
        const Site site(1, soon);
        mock::Behaviour slow;
        slow.first_byte = slow.ttft = mock::Distribution::constant(300'000'000);
        site.upstreams[0]->set_behaviour(slow);
        const http::ClientResponse response = site.ask(true);
        CHECK(response.status == 200);
        CHECK(response.header("content-type").starts_with("text/event-stream"));
        CHECK(count(response.body, ": keep-alive\n\n") >= 2);
        CHECK(response.body.starts_with(": keep-alive\n\n"));
        CHECK(response.body.find("event: response.completed") != std::string::npos);
        // The comments are no first event and no first output.
        const json::Value overview = site.admin("/dashboard/overview?time_range=5m");
        CHECK(overview.find_path("data.ttft.p50_ms")->as_double().value_or(0) >= 290);
    }
    SUBCASE("and then another account takes over") {
        const Site site(2, soon);
        fault(site, 0, "stall-before-output");
        const http::ClientResponse response = site.ask(true);
        CHECK(response.status == 200);
        CHECK(count(response.body, ": keep-alive\n\n") >= 2);
        CHECK(count(response.body, "event: response.created") == 1);  // one answer, not two
        CHECK(response.body.find("event: response.completed") != std::string::npos);
        CHECK(site.requests(1) == 1);
    }
    SUBCASE("or it fails after all: an event, since the status is gone") {
        const Site site(1, soon);
        fault(site, 0, "hang");
        const http::ClientResponse response = site.ask(true);
        CHECK(response.status == 200);
        CHECK(response.body.find("event: error") != std::string::npos);
        CHECK(response.body.find("upstream_timeout") != std::string::npos);
    }
    SUBCASE("a refusal after comments is an event too") {
        const Site site(1, soon);
        mock::Behaviour slow;
        slow.first_byte = mock::Distribution::constant(200'000'000);
        slow.faults.more.push_back({.share_bp = 10'000, .fault = *mock::parse_fault("error-400")});
        site.upstreams[0]->set_behaviour(slow);
        const http::ClientResponse response = site.ask(true);
        CHECK(response.status == 200);
        CHECK(response.body.find("event: error\ndata: {\"type\":\"error\"") != std::string::npos);
        CHECK(response.body.find("the upstream answered 400: ") != std::string::npos);
    }
    SUBCASE("more often than the sweep comes is as often as the sweep comes") {
        const Site site(1, [](Config& config) {
            config.stream.keepalive = 1ms;
            config.timeouts.first_output = 5s;
            config.timeouts.total = 10s;
        });
        mock::Behaviour slow;
        slow.first_byte = mock::Distribution::constant(300'000'000);  // first without a head, then within the stream
        slow.ttft = mock::Distribution::constant(600'000'000);
        site.upstreams[0]->set_behaviour(slow);
        const core::TimePoint start = std::chrono::steady_clock::now();
        const http::ClientResponse response = site.ask(true);
        const auto sweeps = static_cast<std::size_t>((std::chrono::steady_clock::now() - start) / 50ms);
        CHECK(response.body.find("event: response.completed") != std::string::npos);
        CHECK(count(response.body, ": keep-alive\n\n") >= 4);
        CHECK(count(response.body, ": keep-alive\n\n") <= sweeps + 1);
    }
    SUBCASE("none where none is configured") {
        const Site site(1, [](Config& config) {
            config.stream.keepalive = 0ms;
            config.timeouts.first_output = 2s;
            config.timeouts.total = 5s;
        });
        mock::Behaviour slow;
        slow.ttft = mock::Distribution::constant(300'000'000);
        site.upstreams[0]->set_behaviour(slow);
        CHECK(count(site.ask(true).body, ": keep-alive") == 0);
    }
}

TEST_CASE("without holding the preamble it passes at once, and there is no other account after it") {
    const Site site(2, [](Config& config) { config.stream.hold_preamble = false; });
    fault(site, 0, "cut-before-output");
    const http::ClientResponse response = site.ask(true);
    CHECK(response.body.find("event: response.created") != std::string::npos);
    CHECK(response.body.find("upstream_truncated") != std::string::npos);
    CHECK(site.requests(1) == 0);
}

TEST_CASE("a client that leaves cancels its upstream, or has it read to its end") {
    struct Row {
        const char* name;
        bool drain;
    };
    for (const Row& row : {Row{"cancel", false}, Row{"drain", true}}) {
        CAPTURE(std::string(row.name));
        const bool drain = row.drain;
        const Site site(1, [drain](Config& config) {
            config.stream.drain_when_gone = drain;
            config.timeouts.total = 20s;
            config.timeouts.idle = 10s;
        });
        mock::Behaviour steady;
        steady.gap = mock::Distribution::constant(50'000'000);
        steady.tokens = mock::Distribution::constant(30);
        site.upstreams[0]->set_behaviour(steady);
        ask_and_leave(site, "output_text.delta");
        CHECK(comes_true([&] {
            const json::Value overview = site.admin("/dashboard/overview?time_range=5m");
            return number(overview, "data.request_count_total") == 1;
        }));
        const json::Value overview = site.admin("/dashboard/overview?time_range=5m");
        // Read to its end it costs what the upstream says: 30 tokens of output. Cancelled, what was sent by estimate.
        const std::int64_t tokens = number(overview, "data.token_consumed");
        CHECK(tokens > 0);
        CHECK((tokens > 30) == drain);
        CHECK(site.upstreams[0]->counters().answered == (drain ? 1u : 0u));
    }
}

TEST_CASE("full accounts make requests wait their turn, and no longer than they may") {
    const auto one_at_a_time = [](Config& config) {
        config.queue_timeout = 3s;
        config.timeouts.total = 5s;
    };
    Site site(1, one_at_a_time, 1, 1);
    mock::Behaviour slow;
    slow.latency = mock::Distribution::constant(100'000'000);
    site.upstreams[0]->set_behaviour(slow);
    std::atomic<int> good{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 5; ++i) clients.emplace_back([&] { good += site.ask(false).status == 200; });
    for (std::thread& client : clients) client.join();
    CHECK(good == 5);

    slow.latency = mock::Distribution::constant(2'000'000'000);
    site.upstreams[0]->set_behaviour(slow);
    site.config.queue_timeout = 100ms;
    site.restart();
    std::thread first([&] { CHECK(site.ask(false).status == 200); });
    CHECK(comes_true([&] { return site.requests(0) == 6; }));
    const http::ClientResponse late = site.ask(false);
    CHECK(late.status == 429);
    CHECK(late.header("retry-after") == "1");
    first.join();
}

TEST_CASE("a client that leaves while it waits for a full account leaves the line, at once and for good") {
    const std::string body = R"({"model":"m","input":"hi"})";
    const std::string request = oai::test::request("POST", "/v1/responses",
                                                   "authorization: Bearer sk-test-key\r\n"
                                                   "content-type: application/json\r\n",
                                                   body);
    const Site site(
        1,
        [](Config& config) {
            config.queue_timeout = 60s;
            config.timeouts.total = 60s;
            config.timeouts.first_output = 60s;
        },
        1, 1);
    mock::Behaviour slow;
    slow.latency = mock::Distribution::constant(2'000'000'000);
    site.upstreams[0]->set_behaviour(slow);
    const auto waiting = [&] { return number(site.admin("/explain?model=m"), "data.waiting"); };
    const auto ended = [&](const char* what) { return number(site.admin("/dashboard/overview?time_range=5m"), what); };

    oai::test::RawClient first(site.gateway->port());
    REQUIRE(first.send(request));
    REQUIRE(comes_true([&] { return site.requests(0) == 1; }));
    {
        oai::test::RawClient leaver(site.gateway->port());
        REQUIRE(leaver.send(request));
        REQUIRE(comes_true([&] { return waiting() == 1; }));
    }
    // The account is still busy: nobody was served, and the leaver is out of the line and counted as who it is.
    CHECK(comes_true([&] { return waiting() == 0; }));
    CHECK(ended("data.request_count_total") == 1);
    CHECK(site.upstreams[0]->counters().answered == 0);
    CHECK(first.read_answer().status == 200);
    CHECK(site.ask(false).status == 200);
    CHECK(site.requests(0) == 2);
    CHECK(ended("data.request_count_total") == 3);
    CHECK(ended("data.request_count_sla") == 2);
    CHECK(ended("data.error_count_sla") == 0);
    CHECK(number(site.admin("/request-errors"), "data.total") == 0);
}
