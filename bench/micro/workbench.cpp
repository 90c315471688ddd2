#include "workbench.hpp"

#include "inputs.hpp"
#include "naive.hpp"
#include "store/open.hpp"

namespace oai::bench {
namespace {

gateway::Keys make_keys() {
    gateway::Config config;
    config.store_url = "memory:";
    return *gateway::load_keys(config);
}

net::Awaitable<void> stop_after(net::Awaitable<void> session, boost::asio::io_context& context) {
    co_await std::move(session);
    context.stop();
}

}  // namespace

Workbench::Workbench() : Workbench(std::make_shared<gateway::Tables>()) {}

Workbench::Workbench(std::shared_ptr<const gateway::Tables> tables)
    : shared(core::system_clock(), std::move(*store::open("memory:")), make_keys()),
      worker(shared, std::move(tables)),
      client_end(worker.net),
      client(worker.net, client_end.take_ours()) {}

void Workbench::run(net::Awaitable<void> session) {
    boost::asio::io_context& context = worker.net.context();
    const std::size_t before = worker.net.sessions();
    worker.net.spawn(stop_after(std::move(session), context));
    // One run, as a worker's: Asio keeps coroutine frames for reuse no longer than that.
    context.run();
    context.restart();
    while (worker.net.sessions() > before) context.run_one();
}

std::vector<upstream::Account> make_accounts(std::size_t count) {
    std::vector<upstream::Account> accounts = naive::list_accounts(naive::accounts_text(count));
    for (std::size_t i = 0; i < count; ++i) {
        upstream::AccountState& state = *accounts[i].state;
        state.ttft_us.add(200'000.0 + 7'919.0 * static_cast<double>(i % 101));
        state.error_rate.add(i % 7 == 0 ? 1 : 0);
        for (std::size_t busy = 0; busy < i % 5; ++busy) state.enter(0);
    }
    return accounts;
}

std::shared_ptr<gateway::Tables> make_tables(std::vector<upstream::Account> accounts) {
    upstream::Version version{.provider = "llm/openai", .version = "v1", .weight = 1, .is_default = true};
    version.accounts = std::move(accounts);
    upstream::Provider provider{.name = "llm/openai", .versions = {}};
    provider.versions.push_back(std::move(version));
    upstream::Route route{.pattern = "*", .provider = 0, .map = {}};
    route.map.emplace(kClientModel, kUpstreamModel);
    auto tables = std::make_shared<gateway::Tables>();
    tables->auth_required = false;
    std::vector<upstream::Provider> providers;
    providers.push_back(std::move(provider));
    tables->catalog = upstream::Catalog(std::move(providers), {std::move(route)});
    return tables;
}

}  // namespace oai::bench
