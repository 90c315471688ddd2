#include "gateway/gateway.hpp"

#include <future>
#include <thread>
#include <vector>

#include "core/log.hpp"
#include "gateway/serve.hpp"
#include "gateway/worker_state.hpp"
#include "store/open.hpp"

namespace oai::gateway {

using core::Error;
using core::Result;

WorkerState::WorkerState(Shared& shared_parts, std::shared_ptr<const Tables> current)
    : shared(shared_parts),
      net("gateway"),
      pool(net),
      tables(std::move(current)),
      intake(shared.collector.add_intake()) {}

struct Gateway::Impl {
    Impl(const core::Clock& clock, std::unique_ptr<store::Store> store, const crypto::KeyedHash& hash)
        : shared(clock, std::move(store), hash) {}

    ~Impl() {
        for (auto& worker : workers) worker->net.post([w = worker.get()] { close(*w); });
        for (auto& worker : workers) {
            worker->net.stop();
            worker->net.join();
        }
    }

    static void close(WorkerState& worker) {
        if (worker.listener) worker.listener->close();
        worker.pool.clear();
    }

    Result<void> listen(const Config& config, const std::shared_ptr<const Tables>& tables) {
        const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
        const unsigned count = config.workers == 0 ? cores : config.workers;
        net::ListenAddress address = config.listen;
        for (unsigned i = 0; i < count; ++i) {
            workers.push_back(std::make_unique<WorkerState>(shared, tables));
            WorkerState& worker = *workers.back();
            Result<std::unique_ptr<net::Listener>> listener = net::Listener::open(worker.net, address, count > 1);
            if (!listener) return listener.error();
            worker.listener = std::move(*listener);
            address.port = worker.listener->port();  // the first one chose; the others share it
        }
        for (auto& worker : workers) serve_on(*worker);
        for (auto& worker : workers) worker->net.start();
        port = address.port;
        return {};
    }

    static void serve_on(WorkerState& worker) {
        worker.listener->start([&worker](net::Socket socket) { worker.net.spawn(session(worker, std::move(socket))); });
    }

    static net::Awaitable<void> session(WorkerState& worker, net::Socket socket) {
        Service service(worker);
        const Timeouts& configured = worker.tables->timeouts;
        const http::ServerTimeouts timeouts{.head = configured.request_head, .idle = configured.keep_alive};
        co_await http::serve_connection(worker.net, std::move(socket), service, timeouts, worker.tables->tls);
    }

    Shared shared;
    std::vector<std::unique_ptr<WorkerState>> workers;  ///< after `shared`: they use it to their last moment
    std::uint16_t port = 0;
};

Gateway::Gateway(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Gateway::~Gateway() = default;

Result<std::unique_ptr<Gateway>> Gateway::start(const Config& config, FirstKeys& made, const core::Clock& clock) {
    Result<std::unique_ptr<store::Store>> store = store::open(config.store_url);
    if (!store) return store.error();
    const Result<crypto::KeyedHash> hash = load_key_hash(config);
    if (!hash) return hash.error();
    Result<Credentials> credentials = load_credentials(config, *hash, **store, made);
    if (!credentials) return credentials.error();
    auto tables = std::make_shared<Tables>(Tables{.credentials = std::move(*credentials),
                                                  .auth_required = config.auth_required,
                                                  .catalog = config.catalog,
                                                  .timeouts = config.timeouts,
                                                  .failover = config.failover,
                                                  .breaker = config.breaker,
                                                  .stream = config.stream,
                                                  .queue_timeout = config.queue_timeout,
                                                  .tls = config.tls,
                                                  .max_json_bytes = config.max_json_bytes,
                                                  .max_body_bytes = config.max_body_bytes,
                                                  .has_choice = config.catalog.has_choice(),
                                                  .drop_headers = config.drop_headers,
                                                  .passthrough_unknown = config.passthrough_unknown,
                                                  .expose_routing = config.expose_routing});
    auto impl = std::make_unique<Impl>(clock, std::move(*store), *hash);
    impl->shared.registry.adopt(tables->catalog);
    if (const Result<std::size_t> known = impl->shared.affinity.load(); !known) return known.error();
    if (const Result<void> listening = impl->listen(config, tables); !listening) return listening.error();
    if (!config.listen.is_loopback() && !config.tls)
        core::log(core::LogLevel::warn,
                  "listening beyond loopback without TLS: keys and answers are readable on the way",
                  {{"address", config.listen.text()}});
    return std::unique_ptr<Gateway>(new Gateway(std::move(impl)));
}

std::uint16_t Gateway::port() const noexcept {
    return impl_->port;
}

std::size_t Gateway::workers() const noexcept {
    return impl_->workers.size();
}

bool Gateway::drain(std::chrono::nanoseconds patience) {
    const core::TimePoint until = std::chrono::steady_clock::now() + patience;
    for (auto& worker : impl_->workers) {
        worker->net.post([w = worker.get()] {
            w->draining = true;
            w->listener->close();
            w->pool.clear();
        });
    }
    for (;;) {
        std::int64_t open = 0;
        for (auto& worker : impl_->workers) open += worker->intake.open();
        if (open == 0) return true;
        if (std::chrono::steady_clock::now() >= until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
}

}  // namespace oai::gateway
