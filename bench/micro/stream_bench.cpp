#include <span>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "counting.hpp"
#include "gateway/event_reply.hpp"
#include "http/sse.hpp"
#include "inputs.hpp"
#include "naive.hpp"
#include "sockets.hpp"
#include "wire/model_edit.hpp"
#include "wire/stream_reader.hpp"
#include "workbench.hpp"

// Points 2, 3, 4 and 12: what is done to the events of a stream.
namespace oai::bench {
namespace {

// Point 2. One iteration is one stream, of which `range` events arrive with each read.

void write_each(benchmark::State& state) {
    Workbench bench;
    const std::vector<std::string> events = make_events();
    const Counting counting(state);
    for (auto _ : state) {
        for (const std::string& event : events) naive::write_event(*bench.client.stream, event);
        bench.client_end.drain();
    }
}

net::Awaitable<void> write_streams(benchmark::State& state, Workbench& bench, std::span<const std::string> reads) {
    gateway::Exchange x(bench.worker, bench.client, bench.head);
    x.reply.started = x.reply.chunked = true;
    const Counting counting(state);
    for (auto _ : state) {
        for (const std::string& read : reads) {
            const core::Result<void> written = co_await gateway::write_events(x, read, false);
            if (!written) state.SkipWithError("the client is gone");
        }
        bench.client_end.drain();
    }
}

void write_gathered(benchmark::State& state) {
    Workbench bench;
    const std::vector<std::string> reads = make_reads(static_cast<std::size_t>(state.range(0)));
    bench.run(write_streams(state, bench, reads));
}

// Point 3. One iteration is one stream; eight events with each read.

constexpr std::size_t kTogether = 8;

void map_each(benchmark::State& state) {
    json::Scanner scanner;
    const std::vector<std::string> events = make_events();
    const Counting counting(state);
    for (auto _ : state) {
        for (const std::string& event : events) benchmark::DoNotOptimize(naive::replace_model(event, scanner));
    }
}

void map_gated(benchmark::State& state) {
    json::Scanner scanner;
    const std::vector<std::string> reads = make_reads(kTogether);
    const std::string upstream = wire::quoted_model(kUpstreamModel), client = wire::quoted_model(kClientModel);
    const Counting counting(state);
    for (auto _ : state) {
        for (const std::string& read : reads) {
            if (!wire::may_name_model(read, upstream)) continue;
            benchmark::DoNotOptimize(wire::map_model_back(read, kUpstreamModel, client, scanner));
        }
    }
}

// Point 4. One iteration is one stream, its events taken apart already. Both also look for output in each event, which
// the stream's times need; ours tells how the stream ended, too.

void usage_searched(benchmark::State& state) {
    json::Scanner scanner;
    const std::vector<std::string> events = make_events();
    std::vector<std::string_view> datas;
    for (const std::string& event : events) datas.push_back(data_of(event));
    const Counting counting(state);
    for (auto _ : state) {
        std::optional<wire::Usage> usage;
        for (const std::string_view data : datas) {
            benchmark::DoNotOptimize(wire::text_member(data, "\"delta\"").size());
            if (const auto found = naive::read_usage(data, scanner)) usage = found;
        }
        if (!usage || usage->output_tokens != 200) state.SkipWithError("no usage");
    }
}

void usage_gated(benchmark::State& state) {
    json::Scanner scanner;
    const std::vector<std::string> events = make_events();
    std::vector<http::SseEvent> parsed(events.size());
    for (std::size_t i = 0; i < events.size(); ++i) parsed[i].data = data_of(events[i]);
    const core::TimePoint now = core::system_clock().now();
    const Counting counting(state);
    for (auto _ : state) {
        wire::StreamReader reader(wire::Terminal::responses);
        for (const http::SseEvent& event : parsed) reader.take(event, now, scanner);
        if (!reader.usage() || reader.usage()->output_tokens != 200) state.SkipWithError("no usage");
    }
}

// Point 12. One iteration is one stream, each event sent when the one before it was read.

net::Awaitable<void> read_watched_streams(benchmark::State& state, Workbench& bench) {
    const std::vector<std::string> events = make_events();
    std::size_t length = 0;
    for (const std::string& event : events) length += event.size();
    const Counting counting(state);
    for (auto _ : state) {
        naive::WatchedReader reader(bench.worker.net, *bench.client.stream, length);
        for (const std::string& event : events) {
            bench.client_end.send(event);
            const std::string got = co_await reader.next();
            if (got.size() != event.size()) state.SkipWithError("an event is cut");
        }
    }
}

net::Awaitable<void> read_streams(benchmark::State& state, Workbench& bench) {
    const std::vector<std::string> events = make_events();
    http::Head head;
    head.body = http::BodyFraming::until_close;
    const Counting counting(state);
    for (auto _ : state) {
        http::BodyReader reader(bench.client, head, core::Source::upstream);
        for (const std::string& event : events) {
            bench.client_end.send(event);
            const core::TimePoint now = core::system_clock().now();
            bench.client.stream->set_deadline(now + std::chrono::seconds{60});
            bench.client.stream->set_wake(now + std::chrono::seconds{10});
            const core::Result<std::string_view> got = co_await reader.next();
            if (!got || got->size() != event.size()) state.SkipWithError("an event is cut");
        }
        reader.finish();
    }
}

void read_watched(benchmark::State& state) {
    Workbench bench;
    bench.run(read_watched_streams(state, bench));
}

void read_plain(benchmark::State& state) {
    Workbench bench;
    bench.run(read_streams(state, bench));
}

BENCHMARK(write_each)->Name("02_sse_writing/naive")->Arg(1)->Arg(4)->Arg(16);
BENCHMARK(write_gathered)->Name("02_sse_writing/ours")->Arg(1)->Arg(4)->Arg(16);
BENCHMARK(map_each)->Name("03_model_mapping/naive");
BENCHMARK(map_gated)->Name("03_model_mapping/ours");
BENCHMARK(usage_searched)->Name("04_usage/naive");
BENCHMARK(usage_gated)->Name("04_usage/ours");
BENCHMARK(read_watched)->Name("12_stream_timers/naive");
BENCHMARK(read_plain)->Name("12_stream_timers/ours");

}  // namespace
}  // namespace oai::bench
