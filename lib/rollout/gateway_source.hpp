#pragma once

#include <optional>

#include "rollout/ops_client.hpp"
#include "rollout/overview.hpp"
#include "rollout/source.hpp"

namespace oai::rollout {

/// The ops API of a gateway of ours or of an ancestor; which one shows in the answer.
class GatewaySource final : public MetricSource {
public:
    GatewaySource(OpsServer server, OverviewQuery query, RateScale scale);

    core::Result<WindowMetrics> fetch(const metrics::Bounds& bounds) override;
    core::Result<std::optional<thresholds::LimitSet>> limits() override;

private:
    OpsServer server_;
    OverviewQuery query_;
    RateScale scale_;
};

}  // namespace oai::rollout
