#include "gateway/gateway.hpp"

#include <future>
#include <thread>
#include <vector>

#include "core/log.hpp"
#include "gateway/serve.hpp"
#include "gateway/worker_state.hpp"
#include "store/key_check.hpp"
#include "store/open.hpp"

namespace oai::gateway {

using core::Error;
using core::Result;

WorkerState::WorkerState(Shared& shared_parts, std::shared_ptr<const Tables> current)
    : shared(shared_parts),
      net("gateway"),
      pool(net),
      sockets(net),
      tables(std::move(current)),
      intake(shared.collector.add_intake()),
      date(shared.clock) {}

struct Gateway::Impl {
    Impl(const core::Clock& clock, std::unique_ptr<store::Store> store, const Keys& keys)
        : shared(clock, std::move(store), keys) {}

    ~Impl() {
        for (auto& worker : workers) worker->net.post([w = worker.get()] { close(*w); });
        for (auto& worker : workers) {
            worker->net.stop();
            worker->net.join();
        }
    }

    static void close(WorkerState& worker) {
        for (auto& listener : worker.listeners) listener->close();
        worker.pool.clear();
        worker.sockets.close();
    }

    /// What requests decide by, from a configuration and the credentials that go with it.
    std::shared_ptr<const Tables> make_tables(const Config& config, Credentials credentials) {
        auto made = std::make_shared<Tables>();
        made->generation = ++generations;
        static_cast<Rules&>(*made) = config;
        made->credentials = std::move(credentials);
        made->has_choice = config.catalog.has_choice();
        shared.registry.adopt(made->catalog, [this](const upstream::Account& account) {
            return std::make_shared<upstream::TokenSource>(account.name, *account.oauth, shared.token_vault(),
                                                           shared.clock);
        });
        return made;
    }

    Result<void> listen(const Config& config, std::vector<net::Descriptor> sockets) {
        const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
        const unsigned count = config.workers == 0 ? cores : config.workers;
        for (unsigned i = 0; i < count; ++i) workers.push_back(std::make_unique<WorkerState>(shared, tables));
        const Result<void> listening = sockets.empty() ? open(config) : adopt(std::move(sockets));
        if (!listening) return listening.error();
        address = workers.front()->listeners.front()->address();
        for (auto& worker : workers) serve_on(*worker);
        for (auto& worker : workers) worker->net.start();
        return {};
    }

    Result<void> open(const Config& config) {
        net::ListenAddress at = config.listen;
        for (auto& worker : workers) {
            Result<std::unique_ptr<net::Listener>> listener = net::Listener::open(worker->net, at, workers.size() > 1);
            if (!listener) return listener.error();
            at.port = (*listener)->port();  // the first one chose; the others share it
            worker->listeners.push_back(std::move(*listener));
        }
        return {};
    }

    Result<void> adopt(std::vector<net::Descriptor> sockets) {
        std::vector<net::Worker*> nets;
        for (auto& worker : workers) nets.push_back(&worker->net);
        auto dealt = net::adopt_all(nets, std::move(sockets));
        if (!dealt) return dealt.error();
        for (std::size_t i = 0; i < workers.size(); ++i) workers[i]->listeners = std::move((*dealt)[i]);
        return {};
    }

    static void serve_on(WorkerState& worker) {
        for (auto& listener : worker.listeners)
            listener->start([&worker](net::Socket socket) { worker.net.spawn(session(worker, std::move(socket))); });
    }

    static net::Awaitable<void> session(WorkerState& worker, net::Socket socket) {
        Service service(worker);
        const Timeouts& configured = worker.tables->timeouts;
        const http::ServerTimeouts timeouts{.head = configured.request_head, .idle = configured.keep_alive};
        co_await http::serve_connection(worker.net, std::move(socket), service, timeouts, worker.tables->tls);
    }

    Shared shared;
    std::uint64_t generations = 0;
    std::shared_ptr<const Tables> tables;               ///< the newest, for the thread that starts and reloads
    std::vector<std::unique_ptr<WorkerState>> workers;  ///< after `shared`: they use it to their last moment
    net::ListenAddress address;
};

Gateway::Gateway(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Gateway::~Gateway() = default;

Result<std::unique_ptr<Gateway>> Gateway::start(const Config& config, FirstKeys& made, const core::Clock& clock,
                                                std::vector<net::Descriptor> sockets) {
    Result<std::unique_ptr<store::Store>> store = store::open(config.store_url);
    if (!store) return store.error();
    Result<Keys> keys = load_keys(config);
    if (!keys) return keys.error();
    const Result<void> right = store::check_encryption_key((*store)->settings(), *keys->sealer, keys->where);
    if (!right) return right.error();
    Result<Credentials> credentials = load_credentials(config, keys->hash, **store, made);
    if (!credentials) return credentials.error();
    auto impl = std::make_unique<Impl>(clock, std::move(*store), *keys);
    impl->tables = impl->make_tables(config, std::move(*credentials));
    if (const Result<std::size_t> known = impl->shared.affinity.load(); !known) return known.error();
    impl->shared.background.post([&affinity = impl->shared.affinity] {
        // What nobody named for months is of no use; a start is often enough to look.
        if (const Result<std::size_t> purged = affinity.purge(); !purged)
            core::log(core::LogLevel::warn, "old affinities stay", {{"reason", purged.error().detail}});
    });
    if (const Result<void> listening = impl->listen(config, std::move(sockets)); !listening) return listening.error();
    if (!impl->address.is_loopback() && !config.tls)
        core::log(core::LogLevel::warn,
                  "listening beyond loopback without TLS: keys and answers are readable on the way",
                  {{"address", impl->address.text()}});
    return std::unique_ptr<Gateway>(new Gateway(std::move(impl)));
}

Result<void> Gateway::reload(const Config& config, FirstKeys& made) {
    Result<Credentials> credentials = load_credentials(config, impl_->shared.key_hash, *impl_->shared.store, made);
    if (!credentials) return credentials.error();
    impl_->tables = impl_->make_tables(config, std::move(*credentials));
    for (auto& worker : impl_->workers)
        worker->net.post([w = worker.get(), tables = impl_->tables] {
            w->tables = tables;
            w->series = {};  // it knows versions by their addresses, and those of this catalog may have been another's
        });
    return {};
}

std::vector<int> Gateway::listening_sockets() const {
    std::vector<int> sockets;
    for (const auto& worker : impl_->workers) {
        for (const auto& listener : worker->listeners) sockets.push_back(listener->native_handle());
    }
    return sockets;
}

const net::ListenAddress& Gateway::address() const noexcept {
    return impl_->address;
}

std::uint16_t Gateway::port() const noexcept {
    return impl_->address.port;
}

std::size_t Gateway::workers() const noexcept {
    return impl_->workers.size();
}

bool Gateway::drain(std::chrono::nanoseconds patience) {
    const core::TimePoint until = std::chrono::steady_clock::now() + patience;
    for (auto& worker : impl_->workers) {
        worker->net.post([w = worker.get()] {
            w->draining = true;
            for (auto& listener : w->listeners) listener->close();
            w->pool.clear();
            w->sockets.close();
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
