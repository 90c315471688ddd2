#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/ids.hpp"
#include "counting.hpp"
#include "http/connection.hpp"
#include "inputs.hpp"
#include "naive.hpp"
#include "upstream/sticky.hpp"
#include "upstream/websocket_pool.hpp"
#include "wire/endpoints.hpp"
#include "workbench.hpp"

// Points 5, 8, 9, 10 and 11: the small things that each request does once.
namespace oai::bench {
namespace {

constexpr std::string_view kSession = "0199a213-81a0-7000-8b5c-4f3c0c7b2f01";

// Point 5. What is known of a request, set twice by name or once in place.

void context_twice(benchmark::State& state) {
    const std::string body = make_body(1000);
    const Counting counting(state);
    for (auto _ : state) {
        naive::Context context;
        context.set_ops("", false, {});
        context.set_ops(kClientModel, true, body);
        benchmark::DoNotOptimize(context);
    }
}

void context_once(benchmark::State& state) {
    Workbench bench;
    const std::string body = make_body(1000);
    const Counting counting(state);
    for (auto _ : state) {
        const gateway::KeptExchange kept(bench.worker, bench.client, bench.head);
        gateway::Exchange& x = *kept;
        x.body.model_name = kClientModel;
        x.body.stream = true;
        x.body.text = body;
        benchmark::DoNotOptimize(&x);
    }
}

// Point 8.

void hash_sha256(benchmark::State& state) {
    const std::string session = "key_0123456789abcdef:" + std::string(kSession);
    const Counting counting(state);
    for (auto _ : state) benchmark::DoNotOptimize(naive::session_hash(session));
}

void hash_xxh3(benchmark::State& state) {
    const std::string owner = "key_0123456789abcdef";
    const Counting counting(state);
    for (auto _ : state) benchmark::DoNotOptimize(upstream::session_hash(owner, kSession));
}

// Point 9. One iteration takes a socket out of twelve and gives it back.

void acquire_cleaning(benchmark::State& state) {
    naive::SocketPool pool;
    const std::string account = "account-1";
    const core::TimePoint now = core::system_clock().now();
    for (std::size_t i = 0; i < naive::SocketPool::kMostIdle; ++i)
        pool.add(account, {.id = "oa_ws_1_" + std::to_string(i),
                           .created = now,
                           .last_used = now + std::chrono::milliseconds{static_cast<int>(i * 7 % 12)}});
    const Counting counting(state);
    for (auto _ : state) {
        naive::SocketPool::Socket* const socket = pool.acquire(account, now);
        if (socket == nullptr) return state.SkipWithError("no socket");
        pool.release(*socket, now);
    }
}

void acquire_only(benchmark::State& state) {
    Workbench bench;
    upstream::WebSocketPool& pool = bench.worker.sockets;
    upstream::Account account{.name = "account-1"};
    account.target.origin = "https://api.openai.com:443";
    std::vector<std::unique_ptr<Link>> links;
    for (std::size_t i = 0; i < upstream::WebSocketPool::Limits{}.idle_per_account; ++i) {
        links.push_back(std::make_unique<Link>(bench.worker.net));
        auto connection = std::make_unique<http::Connection>(bench.worker.net, links.back()->take_ours());
        pool.give(std::make_unique<upstream::UpstreamSocket>(account, "greeting", std::move(connection), std::nullopt));
    }
    {
        const Counting counting(state);
        for (auto _ : state) {
            std::unique_ptr<upstream::UpstreamSocket> socket = pool.take(account, "greeting");
            if (!socket) {
                state.SkipWithError("no socket");
                break;
            }
            pool.give(std::move(socket));
        }
    }
    pool.close();
    bench.worker.net.context().poll();
}

// Point 10. One iteration is one body of 200 KB that the client sends at once; its sending is in both.

constexpr std::size_t kBody = 200'000;

net::Awaitable<void> read_growing_bodies(benchmark::State& state, Workbench& bench) {
    const std::string body(kBody, 'x');
    const Counting counting(state);
    for (auto _ : state) {
        bench.client_end.send(body);
        const std::string got = co_await naive::read_body(bench.client, body.size());
        if (got.size() != body.size()) state.SkipWithError("the body is cut");
    }
}

net::Awaitable<void> read_sized_bodies(benchmark::State& state, Workbench& bench) {
    const std::string body(kBody, 'x');
    http::Head head;
    head.body = http::BodyFraming::length;
    head.content_length = body.size();
    const Counting counting(state);
    for (auto _ : state) {
        bench.client_end.send(body);
        net::Buffer into(bench.worker.net.buffers());
        const core::Result<std::string_view> got =
            co_await http::read_whole_body(bench.client, head, core::Source::downstream, kBody, into);
        if (!got || got->size() != body.size()) state.SkipWithError("the body is cut");
    }
}

void read_growing(benchmark::State& state) {
    Workbench bench;
    bench.run(read_growing_bodies(state, bench));
}

void read_sized(benchmark::State& state) {
    Workbench bench;
    bench.run(read_sized_bodies(state, bench));
}

// Point 11.

void id_formatted(benchmark::State& state) {
    core::IdSource source(1);
    const Counting counting(state);
    for (auto _ : state) benchmark::DoNotOptimize(naive::make_id(source));
}

void id_in_place(benchmark::State& state) {
    core::IdSource source(1);
    const Counting counting(state);
    for (auto _ : state) benchmark::DoNotOptimize(core::RequestId(source));
}

BENCHMARK(context_twice)->Name("05_context/naive");
BENCHMARK(context_once)->Name("05_context/ours");
BENCHMARK(hash_sha256)->Name("08_session_hash/naive");
BENCHMARK(hash_xxh3)->Name("08_session_hash/ours");
BENCHMARK(acquire_cleaning)->Name("09_websocket_pool/naive");
BENCHMARK(acquire_only)->Name("09_websocket_pool/ours");
BENCHMARK(read_growing)->Name("10_body_read/naive");
BENCHMARK(read_sized)->Name("10_body_read/ours");
BENCHMARK(id_formatted)->Name("11_id/naive");
BENCHMARK(id_in_place)->Name("11_id/ours");

}  // namespace
}  // namespace oai::bench
