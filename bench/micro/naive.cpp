#include "naive.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>

#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/redirect_error.hpp>
#include <nlohmann/json.hpp>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "crypto/hash.hpp"
#include "http/chunked.hpp"
#include "inputs.hpp"
#include "net/pieces.hpp"
#include "wire/model_edit.hpp"

namespace oai::bench::naive {

namespace asio = boost::asio;

std::string edit_body(std::string_view body) {
    nlohmann::json tree = nlohmann::json::parse(body);
    tree["model"] = kUpstreamModel;
    tree.erase("max_output_tokens");
    tree["store"] = false;
    tree["stream"] = true;
    return tree.dump();
}

std::string_view edit_body_rapid(std::string_view body) {
    static rapidjson::StringBuffer out;
    rapidjson::Document tree;
    tree.Parse(body.data(), body.size());
    tree["model"].SetString(kUpstreamModel.data(), static_cast<rapidjson::SizeType>(kUpstreamModel.size()));
    tree.RemoveMember("max_output_tokens");
    tree["store"].SetBool(false);
    tree["stream"].SetBool(true);
    out.Clear();
    rapidjson::Writer<rapidjson::StringBuffer> writer(out);
    tree.Accept(writer);
    return {out.GetString(), out.GetSize()};
}

bool write_event(net::Stream& to, std::string_view event) {
    const std::string line(event);
    std::array<char, http::kMaxChunkHeader> header{};
    net::Pieces pieces{std::string_view(header.data(), http::write_chunk_header(header.data(), line.size())), line,
                       http::kChunkEnd};
    return to.try_write(pieces) == net::Stream::Written::done;
}

std::string replace_model(std::string_view event, json::Scanner& scanner) {
    std::string line(event);
    const std::string_view data = data_of(line);
    const json::Padded copy = scanner.copy(data);
    const json::Member model = wire::find_model(copy, kUpstreamModel, scanner);
    if (!model.present()) return line;
    const auto at = static_cast<std::size_t>(data.data() - line.data() + (model.raw.data() - copy.text.data()));
    line.replace(at, model.raw.size(), wire::quoted_model(kClientModel));
    return line;
}

std::optional<wire::Usage> read_usage(std::string_view data, json::Scanner& scanner) {
    constexpr std::string_view type = "\"response.completed\"";
    if (::memmem(data.data(), data.size(), type.data(), type.size()) == nullptr) return std::nullopt;
    const json::Padded copy = scanner.copy(data);
    const std::optional<std::int64_t> input = scanner.find(copy, {"response", "usage", "input_tokens"}).integer();
    const std::optional<std::int64_t> output = scanner.find(copy, {"response", "usage", "output_tokens"}).integer();
    if (!input || !output) return std::nullopt;
    return wire::Usage{.input_tokens = static_cast<std::uint32_t>(*input),
                       .output_tokens = static_cast<std::uint32_t>(*output)};
}

void Context::set_ops(std::string_view model, bool stream, std::string_view body) {
    values_["ops_model"] = std::string(model);
    values_["ops_stream"] = stream;
    values_["ops_request_body"] = body;
}

void RuntimeStats::report(std::int64_t account, bool good, double ttft_us) {
    constexpr double alpha = upstream::Ewma::kAlpha;
    const std::lock_guard lock(mutex_);
    Stats& stats = accounts_[account];
    stats.error_rate += alpha * ((good ? 0.0 : 1.0) - stats.error_rate);
    stats.ttft_us = stats.has_ttft ? stats.ttft_us + alpha * (ttft_us - stats.ttft_us) : ttft_us;
    stats.has_ttft = true;
}

RuntimeStats::Stats RuntimeStats::snapshot(std::int64_t account) const {
    const std::shared_lock lock(mutex_);
    const auto found = accounts_.find(account);
    return found == accounts_.end() ? Stats{} : found->second;
}

namespace {

struct Load {
    std::int64_t in_flight = 0;
    std::int64_t waiting = 0;
};

struct Candidate {
    const upstream::Account* account = nullptr;
    std::int64_t id = 0;
    Load load;
    RuntimeStats::Stats stats;
    double score = 0;
};

/// The best in a weighted random order, as ours draws it.
std::optional<upstream::Lease> draw(std::vector<Candidate>& best, const std::shared_ptr<upstream::PoolState>& pool,
                                    std::uint64_t seed) {
    const double worst = best.back().score;
    while (!best.empty()) {
        const auto weight = [&](const Candidate& c) {
            return (c.score - worst + 1.0) * static_cast<double>(c.account->weight);
        };
        double total = 0;
        for (const Candidate& c : best) total += weight(c);
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        double at = static_cast<double>(seed >> 11) * 0x1.0p-53 * total;
        auto chosen = best.begin();
        while (chosen + 1 != best.end() && at >= weight(*chosen)) at -= weight(*chosen++);
        if (chosen->account->state->enter(chosen->account->concurrency))
            return upstream::Lease(*chosen->account, pool, false);
        best.erase(chosen);
    }
    return std::nullopt;
}

}  // namespace

std::optional<upstream::Lease> schedule(std::span<const upstream::Account> accounts,
                                        const std::shared_ptr<upstream::PoolState>& pool, const upstream::Ask& ask,
                                        core::TimePoint now, const RuntimeStats& stats) {
    // First walk: who may take it.
    std::vector<Candidate> candidates;
    for (std::size_t i = 0; i < accounts.size(); ++i) {
        if (upstream::Scheduler::judge(accounts[i], ask, now) != upstream::Out::none) continue;
        candidates.push_back(Candidate{&accounts[i], static_cast<std::int64_t>(i), {}, {}, 0});
    }
    if (candidates.empty()) return std::nullopt;
    // Second: their loads, by id.
    std::unordered_map<std::int64_t, Load> loads;
    for (const Candidate& c : candidates)
        loads[c.id] = {c.account->state->in_flight_approx(), c.account->state->waiting.load()};
    // Third: what the scores are relative to.
    std::int64_t first = INT64_MAX, last = INT64_MIN, busiest = 1, most_waiting = 1;
    double fastest = INFINITY, slowest = 0;
    for (Candidate& c : candidates) {
        c.load = loads[c.id];
        c.stats = stats.snapshot(c.id);
        first = std::min(first, c.account->priority);
        last = std::max(last, c.account->priority);
        busiest = std::max(busiest, c.load.in_flight);
        most_waiting = std::max(most_waiting, c.load.waiting);
        if (!c.stats.has_ttft) continue;
        fastest = std::min(fastest, c.stats.ttft_us);
        slowest = std::max(slowest, c.stats.ttft_us);
    }
    // Fourth: the scores.
    for (Candidate& c : candidates) {
        const double priority =
            last == first ? 1.0
                          : 1.0 - static_cast<double>(c.account->priority - first) / static_cast<double>(last - first);
        const std::int64_t room = c.account->concurrency > 0 ? c.account->concurrency : busiest;
        const double load =
            1.0 - std::clamp(static_cast<double>(c.load.in_flight) / static_cast<double>(room), 0.0, 1.0);
        const double queue = 1.0 - static_cast<double>(c.load.waiting) / static_cast<double>(most_waiting);
        double speed = 0.5;
        if (c.stats.has_ttft && slowest > fastest) speed = 1.0 - (c.stats.ttft_us - fastest) / (slowest - fastest);
        c.score = 1.0 * priority + 1.0 * load + 0.7 * queue + 0.8 * (1.0 - c.stats.error_rate) + 0.5 * speed;
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
    std::vector<Candidate> best(
        candidates.begin(),
        candidates.begin() + static_cast<std::ptrdiff_t>(std::min(upstream::Scheduler::kTopK, candidates.size())));
    return draw(best, pool, ask.seed | 1);
}

std::string session_hash(std::string_view session) {
    return crypto::sha256_hex(session);
}

void SocketPool::add(const std::string& account, Socket socket) {
    accounts_[account].push_back(std::make_unique<Socket>(std::move(socket)));
}

SocketPool::Socket* SocketPool::acquire(const std::string& account, core::TimePoint now) {
    const std::lock_guard lock(mutex_);
    Sockets& sockets = accounts_[account];
    clean(sockets, now);
    Socket* best = nullptr;
    for (const auto& socket : sockets) {
        if (!socket->leased && (best == nullptr || socket->last_used > best->last_used)) best = socket.get();
    }
    if (best != nullptr) best->leased = true;
    return best;
}

void SocketPool::release(Socket& socket, core::TimePoint now) {
    const std::lock_guard lock(mutex_);
    socket.leased = false;
    socket.last_used = now;
}

void SocketPool::clean(Sockets& sockets, core::TimePoint now) {
    std::erase_if(sockets,
                  [&](const auto& socket) { return !socket->leased && now - socket->created > std::chrono::hours{1}; });
    std::vector<Socket*> idle;
    for (const auto& socket : sockets) {
        if (!socket->leased) idle.push_back(socket.get());
    }
    std::sort(idle.begin(), idle.end(), [](const Socket* a, const Socket* b) { return a->last_used < b->last_used; });
    for (std::size_t i = 0; i + kMostIdle < idle.size(); ++i)
        std::erase_if(sockets, [&](const auto& socket) { return socket.get() == idle[i]; });
}

net::Awaitable<std::string> read_body(http::Connection& from, std::size_t length) {
    std::string body;
    body.reserve(512);
    body = from.in.readable();
    from.in.clear();
    std::size_t read = body.size();
    while (read < length) {
        if (read == body.capacity()) body.reserve(body.capacity() + (body.capacity() + 768) / 4);
        body.resize(std::min(body.capacity(), length));
        const std::size_t n = co_await from.stream->read_some(std::span(body).subspan(read));
        if (n == 0) break;
        read += n;
    }
    body.resize(read);
    co_return body;
}

std::string make_id(core::IdSource& source) {
    char text[32];
    const int size = std::snprintf(text, sizeof text, "req_%016llx%08x", static_cast<unsigned long long>(source.next()),
                                   static_cast<unsigned>(source.next()));
    return std::string(text, static_cast<std::size_t>(size));
}

struct WatchedReader::State {
    using Channel = asio::experimental::channel<net::Executor, void(boost::system::error_code, std::string)>;
    State(net::Worker& worker, net::Stream& source, std::size_t length)
        : from(source), left(length), channel(worker.executor(), 16), timeout(worker.executor()) {}

    net::Stream& from;
    std::size_t left;
    Channel channel;
    net::Timer timeout;
};

net::Awaitable<void> WatchedReader::read_all(std::shared_ptr<State> state) {
    std::string block(16 * 1024, '\0');
    boost::system::error_code closed;
    while (state->left != 0) {
        const std::size_t n = co_await state->from.read_some(block);
        if (n == 0) break;
        state->left -= n;
        std::string line(block.data(), n);
        co_await state->channel.async_send({}, std::move(line), asio::redirect_error(net::use_awaitable, closed));
    }
}

WatchedReader::WatchedReader(net::Worker& worker, net::Stream& from, std::size_t length)
    : state_(std::make_shared<State>(worker, from, length)) {
    worker.spawn(read_all(state_));
}

net::Awaitable<std::string> WatchedReader::next() {
    state_->timeout.expires_after(std::chrono::seconds{60});
    state_->timeout.async_wait([state = state_](const boost::system::error_code& cancelled) {
        if (!cancelled) state->from.close();
    });
    boost::system::error_code closed;
    std::string line = co_await state_->channel.async_receive(asio::redirect_error(net::use_awaitable, closed));
    state_->timeout.cancel();
    co_return line;
}

std::string accounts_text(std::size_t count) {
    nlohmann::json list = nlohmann::json::array();
    for (std::size_t i = 0; i < count; ++i) {
        list.push_back({{"id", i},
                        {"name", "account-" + std::to_string(i)},
                        {"credential", "authorization: Bearer sk-0123456789abcdef0123456789abcdef\r\n"},
                        {"priority", 1 + i % 3},
                        {"weight", 1},
                        {"concurrency", 16},
                        {"models", nlohmann::json::array({"gpt-5*", "o4-mini"})},
                        {"active", true}});
    }
    return list.dump();
}

std::vector<upstream::Account> list_accounts(std::string_view text) {
    std::vector<upstream::Account> accounts;
    for (const nlohmann::json& entry : nlohmann::json::parse(text)) {
        accounts.push_back({.name = entry["name"],
                            .credential = entry["credential"],
                            .weight = entry["weight"],
                            .priority = entry["priority"],
                            .concurrency = entry["concurrency"],
                            .models = entry["models"],
                            .active = entry["active"]});
    }
    return accounts;
}

}  // namespace oai::bench::naive
