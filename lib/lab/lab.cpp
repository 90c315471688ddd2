#include "lab/lab.hpp"

#include <utility>

#include "crypto/random.hpp"
#include "gateway/gateway.hpp"
#include "upstream/catalog_config.hpp"

namespace oai::lab {

using core::Result;

namespace {

/// Destroyed from below: the gateway lets go of its upstream before that stops.
struct Lab {
    std::unique_ptr<mock::Server> upstream;
    std::unique_ptr<gateway::Gateway> gateway;
};

}  // namespace

mock::Behaviour steady_upstream() {
    using std::chrono::milliseconds;
    mock::Behaviour behaviour;
    behaviour.ttft = mock::Distribution::constant(milliseconds{20});
    behaviour.gap = mock::Distribution::constant(milliseconds{5});
    behaviour.latency = mock::Distribution::constant(milliseconds{50});
    return behaviour;
}

Result<loadgen::Embedded> start(const LabOptions& options) {
    auto lab = std::make_shared<Lab>();
    mock::ServerOptions server;
    server.behaviour = options.upstream;
    Result<std::unique_ptr<mock::Server>> upstream = mock::Server::start(std::move(server));
    if (!upstream) return upstream.error();
    lab->upstream = std::move(*upstream);

    gateway::Config config;
    config.listen = net::ListenAddress{"127.0.0.1", 0};
    config.workers = options.gateway_workers;
    config.store_url = "memory:";
    config.admin_key = crypto::new_secret_key("admin-");
    const std::string client_key = crypto::new_secret_key("sk-lab-");
    config.keys.push_back({"lab", client_key, ""});
    Result<upstream::Catalog> catalog = upstream::single_upstream(lab->upstream->url(), "sk-upstream");
    if (!catalog) return catalog.error();
    config.catalog = std::move(*catalog);
    gateway::FirstKeys made;
    Result<std::unique_ptr<gateway::Gateway>> gateway = gateway::Gateway::start(config, made);
    if (!gateway) return gateway.error();
    lab->gateway = std::move(*gateway);

    Result<loadgen::Target> target =
        loadgen::make_target("http://127.0.0.1:" + std::to_string(lab->gateway->port()), client_key);
    if (!target) return target.error();
    return loadgen::Embedded{.target = std::move(*target), .keep = std::move(lab)};
}

}  // namespace oai::lab
