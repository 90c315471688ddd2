#include "rollout/gateway_source.hpp"

#include <string>
#include <utility>

#include "thresholds/ancestor.hpp"

namespace oai::rollout {
namespace {

using core::Result;

constexpr std::string_view kThresholds = "/settings/metric-thresholds";

core::Error at(const OpsServer& server, std::string_view target, core::Error error) {
    error.detail = "GET " + server.url.text() + "/api/v1/admin/ops" + std::string(target) + ": " + error.detail;
    return error;
}

}  // namespace

GatewaySource::GatewaySource(OpsServer server, OverviewQuery query, RateScale scale)
    : server_(std::move(server)), query_(std::move(query)), scale_(scale) {}

Result<WindowMetrics> GatewaySource::fetch(const metrics::Bounds&) {
    const std::string target = overview_target(query_);
    const Result<json::Value> data = get_ops(server_, target);
    if (!data) return data.error();
    Result<WindowMetrics> window = read_overview(*data, query_, scale_);
    if (!window) return at(server_, target, std::move(window.error()));
    return window;
}

Result<std::optional<thresholds::LimitSet>> GatewaySource::limits() {
    const Result<json::Value> data = get_ops(server_, kThresholds);
    if (!data && data.error().code == core::Code::not_found) return std::optional<thresholds::LimitSet>{};
    if (!data) return data.error();
    Result<thresholds::LimitSet> set = thresholds::read_ancestor_limits(*data, "server", thresholds::Purpose::target);
    if (!set) return at(server_, kThresholds, std::move(set.error()));
    // All four unset: a server that has the setting and no opinion.
    if (set->rules.empty()) return std::optional<thresholds::LimitSet>{};
    return std::optional(std::move(*set));
}

}  // namespace oai::rollout
