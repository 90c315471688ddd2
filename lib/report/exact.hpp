#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "metrics/catalog.hpp"
#include "metrics/percentile.hpp"
#include "metrics/sample.hpp"
#include "metrics/tally.hpp"

namespace oai::report {

/// Percentiles of the raw values of one distribution, to the microsecond; those of the metric block are bucket tops.
struct ExactRow {
    metrics::Part part{};
    metrics::Duration metric{};
    std::uint64_t n = 0;
    std::array<std::int64_t, metrics::kShownPercentiles.size()> us{};  ///< in the order of kShownPercentiles
    friend bool operator==(const ExactRow&, const ExactRow&) = default;
};

/// Keeps the raw values of a run and asks metrics for their percentiles. Eight bytes a value: about 70 MB for a million
/// requests. Used by whoever has the samples, live or from a file, so both print the same.
class ExactPercentiles {
public:
    void add(const metrics::Sample& sample);
    void add(const metrics::Gap& gap);
    /// Distributions without values are left out. Order: whole, stream, non_stream; within each, the catalog's.
    std::vector<ExactRow> rows() const;

private:
    using Values = std::array<std::vector<std::int64_t>, metrics::kDurations.size()>;
    Values stream_, non_stream_;
};

}  // namespace oai::report
