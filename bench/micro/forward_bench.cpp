#include <memory>
#include <string>

#include <benchmark/benchmark.h>

#include "counting.hpp"
#include "gateway/request_head.hpp"
#include "gateway/serve.hpp"
#include "inputs.hpp"
#include "naive.hpp"
#include "net/listener.hpp"
#include "wire/answer.hpp"
#include "wire/model_edit.hpp"
#include "workbench.hpp"

// Whole requests, and what it costs to count one.
namespace oai::bench {
namespace {

constexpr std::string_view kAnswer =
    R"({"id":"resp_0123456789abcdef","object":"response","status":"completed","model":"gpt-5-codex","output":[{"type":)"
    R"("message","id":"msg_0123456789abcdef","role":"assistant","content":[{"type":"output_text","text":"It reads the )"
    R"(file."}]}],"parallel_tool_calls":true,"usage":{"input_tokens":5120,"output_tokens":200,"total_tokens":5320}})";

std::string make_request(std::size_t bytes) {
    const std::string body = make_body(bytes);
    return "POST /v1/responses HTTP/1.1\r\nhost: 127.0.0.1:5231\r\nuser-agent: codex_cli_rs/0.40\r\naccept: */*\r\n"
           "authorization: Bearer sk-bench-client\r\ncontent-type: application/json\r\n"
           "session-id: 0199a213-81a0-7000-8b5c-4f3c0c7b2f01\r\ncontent-length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
}

constexpr std::size_t kMostBody = 1 << 20;

/// An upstream in the same thread that reads requests and answers them. Its work is in both forms.
net::Awaitable<void> answer(net::Worker& worker, net::Socket socket) {
    const std::string head_of_answer =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: " + std::to_string(kAnswer.size()) +
        "\r\n\r\n";
    http::Connection connection(worker, std::move(socket));
    http::RequestHead head;
    for (;;) {
        const core::Result<bool> got = co_await http::read_request_head(connection, head);
        if (!got || !*got) co_return;
        net::Buffer gathered(worker.buffers());
        const core::Result<std::string_view> body =
            co_await http::read_whole_body(connection, head, core::Source::downstream, kMostBody, gathered);
        if (!body) co_return;
        http::finish_body(connection, *body);
        net::Pieces pieces{head_of_answer, kAnswer};
        if (connection.stream->try_write(pieces) != net::Stream::Written::done) co_return;
    }
}

/// Where requests go: an upstream of our own, under the names of twenty accounts.
struct Upstream {
    explicit Upstream(Workbench& bench)
        : listener(std::move(*net::Listener::open(bench.worker.net, {"127.0.0.1", 0}, false))),
          accounts(make_accounts(20)) {
        net::Worker& worker = bench.worker.net;
        listener->start([&worker](net::Socket socket) { worker.spawn(answer(worker, std::move(socket))); });
        const http::Target target(*http::parse_url("http://127.0.0.1:" + std::to_string(listener->port())));
        for (upstream::Account& account : accounts) account.target = target;
        bench.worker.tables = make_tables(accounts);
    }

    std::unique_ptr<net::Listener> listener;
    std::vector<upstream::Account> accounts;
};

/// The ancestor's way of a request, each step in its naive form. What the proposal does not speak of (heads, the
/// upstream's connection) is as in ours.
struct Naive {
    explicit Naive(const std::vector<upstream::Account>& known) {
        for (std::size_t i = 0; i < known.size(); ++i)
            stats.report(static_cast<std::int64_t>(i), i % 7 != 0, *known[i].state->ttft_us.value());
    }

    core::IdSource ids;
    naive::RuntimeStats stats;
    std::string stored = naive::accounts_text(20);
    std::shared_ptr<upstream::PoolState> pool = std::make_shared<upstream::PoolState>();
    json::Scanner scanner;
};

net::Awaitable<bool> serve_naively(Workbench& bench, Naive& state, const upstream::Account& target,
                                   const http::RequestHead& head) {
    naive::Context context;
    context.set_ops("", false, {});
    const std::string id = naive::make_id(state.ids);
    const std::string body = co_await naive::read_body(bench.client, head.content_length);
    context.set_ops(kClientModel, false, body);
    const std::string session = naive::session_hash(head.fields.value("session-id"));
    const std::vector<upstream::Account> accounts = naive::list_accounts(state.stored);
    const upstream::Ask ask{.model = kUpstreamModel, .seed = std::hash<std::string>{}(session)};
    const core::TimePoint now = core::system_clock().now();
    std::optional<upstream::Lease> lease = naive::schedule(accounts, state.pool, ask, now, state.stats);
    if (!lease) co_return false;
    const std::string edited = naive::edit_body(body);
    std::unique_ptr<http::Connection> upstream = bench.worker.pool.take(target.target, now);
    if (!upstream) {
        core::Result<std::unique_ptr<http::Connection>> opened =
            co_await bench.worker.pool.open(target.target, net::Stream::kNever);
        if (!opened) co_return false;
        upstream = std::move(*opened);
    }
    const gateway::OutgoingHead outgoing{.client = head,
                                         .account = target,
                                         .credential = lease->account().credential,
                                         .rest_path = "/responses",
                                         .model = kUpstreamModel,
                                         .body_bytes = edited.size()};
    gateway::write_request_head(upstream->scratch, outgoing);
    const net::Pieces request{upstream->scratch, edited};
    const bool written = co_await upstream->stream->write(request);
    if (!written) co_return false;
    http::ResponseHead& answered = upstream->response_head();
    const core::Result<void> got = co_await http::read_response_head(*upstream, "POST", answered);
    if (!got) co_return false;
    std::string text = co_await naive::read_body(*upstream, answered.content_length);
    const json::Padded copy = state.scanner.copy(text);
    benchmark::DoNotOptimize(wire::read_answer(wire::Terminal::responses, copy, state.scanner).usage);
    const json::Member model = wire::find_model(copy, kUpstreamModel, state.scanner);
    text.replace(static_cast<std::size_t>(model.raw.data() - copy.text.data()), model.raw.size(),
                 wire::quoted_model(kClientModel));
    const std::string reply = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: " + id +
                              "\r\ncontent-length: " + std::to_string(text.size()) + "\r\n\r\n";
    const net::Pieces pieces{reply, text};
    const bool sent = co_await bench.client.stream->write(pieces);
    state.stats.report(&lease->account() - accounts.data(), true, 250'000);
    bench.worker.pool.give(std::move(upstream));
    co_return sent;
}

/// One iteration is one request, from the client's sending it to its having the answer. `serve` answers it.
template <class Serve>
net::Awaitable<void> forward(benchmark::State& state, Workbench& bench, Upstream& upstream, Serve serve) {
    const std::string request = make_request(static_cast<std::size_t>(state.range(0)));
    http::RequestHead head;
    // The first one opens the upstream's connection, and its answer is looked at.
    bench.client_end.send(request);
    core::Result<bool> got = co_await http::read_request_head(bench.client, head);
    bool kept = co_await serve(head);
    const std::string answered = bench.client_end.receive();
    if (!answered.starts_with("HTTP/1.1 200") ||
        answered.find("\"" + std::string(kClientModel) + "\"") == std::string::npos)
        state.SkipWithError("the answer is wrong");
    {
        const Counting counting(state);
        for (auto _ : state) {
            bench.client_end.send(request);
            got = co_await http::read_request_head(bench.client, head);
            kept = co_await serve(head);
            if (!got || !kept) state.SkipWithError("the request failed");
            bench.client_end.drain();
        }
    }
    bench.worker.pool.clear();
    upstream.listener->close();
}

void forward_naive(benchmark::State& state) {
    Workbench bench;
    Upstream upstream(bench);
    Naive naive(upstream.accounts);
    bench.run(forward(state, bench, upstream, [&](const http::RequestHead& head) {
        return serve_naively(bench, naive, upstream.accounts.front(), head);
    }));
}

void forward_ours(benchmark::State& state) {
    Workbench bench;
    Upstream upstream(bench);
    gateway::Caller caller;
    bench.run(forward(state, bench, upstream, [&](http::RequestHead& head) {
        return gateway::serve(bench.worker, bench.client, head, caller);
    }));
}

/// One iteration counts one request into the windows, the times of its stamps with it.
void record(benchmark::State& state) {
    Workbench bench;
    Upstream upstream(bench);
    const upstream::Version& version = bench.worker.tables->catalog.providers().front().versions.front();
    gateway::Caller caller;
    gateway::Exchange x(bench.worker, bench.client, bench.head, caller);
    x.endpoint = wire::endpoint_named("responses");
    x.selection = {.version = &version, .upstream_model = kUpstreamModel};
    x.body.model_name = kClientModel;
    x.body.stream = true;
    x.reply.status = 200;
    x.usage = wire::Usage{.input_tokens = 5120, .output_tokens = 200};
    const core::TimePoint now = core::system_clock().now();
    x.attempt_start = x.upstream_end = x.stamps.sent = x.stamps.first_byte = x.stamps.first_event = now;
    x.stamps.first_output = x.stamps.last_output = now;
    gateway::account_answer(x, 200, wire::Ending::completed);
    {
        const Counting counting(state);
        for (auto _ : state) const gateway::SettleOnExit settle(x);
    }
    const auto counted = bench.shared.collector
                             .query({}, bench.shared.collector.now() - std::chrono::minutes{10},
                                    bench.shared.collector.now() + std::chrono::seconds{1})
                             .tally->counts();
    if (counted.sent != static_cast<std::uint64_t>(state.iterations())) state.SkipWithError("not all were counted");
}

BENCHMARK(forward_naive)->Name("forward/naive")->Arg(1'000)->Arg(200'000);
BENCHMARK(forward_ours)->Name("forward/ours")->Arg(1'000)->Arg(200'000);
BENCHMARK(record)->Name("recording/ours");

}  // namespace
}  // namespace oai::bench
