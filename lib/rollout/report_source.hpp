#pragma once

#include <string>

#include "rollout/source.hpp"

namespace oai::rollout {

/// A file: a report of oaiperf (`oai.baseline/1`), a bare metric block (`oai.metrics/1`), or the raw samples of a run
/// (`samples.oais`). It keeps no limits: those of the run belong to the run.
class ReportSource final : public MetricSource {
public:
    explicit ReportSource(std::string path) : path_(std::move(path)) {}

    core::Result<WindowMetrics> fetch(const metrics::Bounds& bounds) override;
    core::Result<std::optional<thresholds::LimitSet>> limits() override {
        return std::optional<thresholds::LimitSet>{};
    }

private:
    core::Result<WindowMetrics> read_samples(const metrics::Bounds& bounds) const;
    core::Result<WindowMetrics> read_document() const;

    std::string path_;
};

}  // namespace oai::rollout
