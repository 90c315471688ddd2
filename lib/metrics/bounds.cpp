#include "metrics/bounds.hpp"

#include <algorithm>

namespace oai::metrics {

const Bounds& Bounds::standard() {
    static const Bounds bounds = [] {
        using std::chrono::milliseconds;
        Bounds b;
        b.pin(Duration::ttft, milliseconds{900}).pin(Duration::ttft, milliseconds{1200});
        for (const Duration metric : {Duration::response, Duration::response_penalised})
            b.pin(metric, milliseconds{3000}).pin(metric, milliseconds{6000});
        b.require({Duration::ttft, milliseconds{900}});
        return b;
    }();
    return bounds;
}

Bounds& Bounds::pin(Duration metric, microseconds limit) {
    std::vector<microseconds>& limits = pinned_[index_of(metric)];
    const auto at = std::lower_bound(limits.begin(), limits.end(), limit);
    if (at == limits.end() || *at != limit) limits.insert(at, limit);
    return *this;
}

Bounds& Bounds::require(LatencyLimit limit) {
    if (std::find(goodput_.begin(), goodput_.end(), limit) == goodput_.end()) goodput_.push_back(limit);
    return *this;
}

Bounds& Bounds::clear_goodput() {
    goodput_.clear();
    return *this;
}

}  // namespace oai::metrics
