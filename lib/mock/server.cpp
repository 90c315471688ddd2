#include "mock/server.hpp"

#include <atomic>
#include <utility>

#include "mock/session.hpp"
#include "net/address.hpp"
#include "net/worker.hpp"

namespace oai::mock {

using core::Error;
using core::Result;

struct Server::State {
    std::shared_ptr<Shared> shared;
    std::vector<std::unique_ptr<net::Worker>> workers;  ///< its own; empty on a given one
    std::vector<std::shared_ptr<Shard>> shards;
    std::string host;
    std::uint16_t port = 0;
    std::atomic<bool> stopped{false};

    /// Options into state, without listeners.
    static Result<std::unique_ptr<State>> make(ServerOptions& options, net::ListenAddress& address) {
        Result<net::ListenAddress> parsed = net::parse_listen_address(options.listen);
        if (!parsed) return parsed.error();
        if (Result<void> possible = validate(options.behaviour.faults); !possible) return possible.error();
        Result<std::unique_ptr<SendLog>> log = SendLog::open(options.log_file, options.keep_log);
        if (!log) return log.error();
        address = *parsed;
        auto state = std::make_unique<State>();
        state->host = address.host;
        state->shared = std::make_shared<Shared>(
            options.seed, std::move(options.behaviour), std::move(*log),
            options.control ? std::make_unique<Received>(options.control_body_bytes) : nullptr, std::move(options.tls));
        return state;
    }

    /// The first one chooses the port, the others share it.
    Result<void> listen(net::Worker& worker, net::ListenAddress& address, bool share_port) {
        Result<std::unique_ptr<net::Listener>> listener = net::Listener::open(worker, address, share_port);
        if (!listener) return listener.error();
        address.port = port = (*listener)->port();
        shards.push_back(std::make_shared<Shard>(worker, shared));
        shards.back()->listener = std::move(*listener);
        return {};
    }
};

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Server>> Server::start(ServerOptions options) {
    net::ListenAddress address;
    Result<std::unique_ptr<State>> made = State::make(options, address);
    if (!made) return made.error();
    State& state = **made;
    const unsigned count = options.workers == 0 ? 1 : options.workers;
    for (unsigned i = 0; i < count; ++i) {
        state.workers.push_back(std::make_unique<net::Worker>("mock"));
        const Result<void> listening = state.listen(*state.workers.back(), address, count > 1);
        if (!listening) return listening.error();
    }
    for (const std::shared_ptr<Shard>& shard : state.shards) {
        shard->worker.post([shard] { Shard::start(shard); });
        shard->worker.start();
    }
    return std::unique_ptr<Server>(new Server(std::move(*made)));
}

Result<std::unique_ptr<Server>> Server::start_on(net::Worker& worker, ServerOptions options) {
    net::ListenAddress address;
    Result<std::unique_ptr<State>> made = State::make(options, address);
    if (!made) return made.error();
    const Result<void> listening = (*made)->listen(worker, address, false);
    if (!listening) return listening.error();
    Shard::start((*made)->shards.front());
    return std::unique_ptr<Server>(new Server(std::move(*made)));
}

Server::~Server() {
    stop();
}

std::uint16_t Server::port() const noexcept {
    return state_->port;
}

std::string Server::url() const {
    net::ListenAddress address{state_->host, state_->port};
    if (address.host == "0.0.0.0") address.host = "127.0.0.1";
    return (state_->shared->tls ? "https://" : "http://") + address.text();
}

void Server::stop() {
    if (state_->stopped.exchange(true)) return;
    for (const std::shared_ptr<Shard>& shard : state_->shards) shard->worker.post([shard] { shard->stop(); });
    for (const std::unique_ptr<net::Worker>& worker : state_->workers) worker->stop();
    for (const std::unique_ptr<net::Worker>& worker : state_->workers) worker->join();
    state_->shared->log->close();
}

void Server::set_behaviour(Behaviour behaviour) {
    state_->shared->change_behaviour([&](Behaviour& now) { now = std::move(behaviour); });
}

void Server::set_faults(FaultRates faults) {
    state_->shared->change_behaviour([&](Behaviour& now) { now.faults = std::move(faults); });
}

Behaviour Server::behaviour() const {
    return *state_->shared->behaviour.load();
}

Counters Server::counters() const {
    Counters sum;
    sum.requests = state_->shared->requests.load(std::memory_order_relaxed);
    for (const std::shared_ptr<Shard>& shard : state_->shards) {
        sum.connections += shard->connections.load(std::memory_order_relaxed);
        sum.open += shard->open.load(std::memory_order_relaxed);
        sum.answered += shard->answered.load(std::memory_order_relaxed);
        sum.faults += shard->faults.load(std::memory_order_relaxed);
    }
    return sum;
}

std::vector<SendRecord> Server::log() const {
    return state_->shared->log->records();
}

std::vector<ReceivedRequest> Server::received() const {
    const Received* received = state_->shared->received.get();
    return received == nullptr ? std::vector<ReceivedRequest>{} : received->all();
}

}  // namespace oai::mock
