#include "report/exact.hpp"

namespace oai::report {

void ExactPercentiles::add(const metrics::Sample& sample) {
    Values& values = sample.stream ? stream_ : non_stream_;
    for (const metrics::Duration metric : metrics::kDurations) {
        const std::int64_t us = metrics::duration_us(sample, metric);
        if (us >= 0) values[metrics::index_of(metric)].push_back(us);
    }
}

void ExactPercentiles::add(const metrics::Gap& gap) {
    stream_[metrics::index_of(metrics::Duration::gap)].push_back(gap.gap_us);
}

std::vector<ExactRow> ExactPercentiles::rows() const {
    std::vector<ExactRow> rows;
    for (const metrics::Part part : {metrics::Part::whole, metrics::Part::stream, metrics::Part::non_stream}) {
        for (const metrics::Duration metric : metrics::kDurations) {
            const std::size_t i = metrics::index_of(metric);
            std::vector<std::int64_t> values;
            if (part != metrics::Part::non_stream) values = stream_[i];
            if (part != metrics::Part::stream)
                values.insert(values.end(), non_stream_[i].begin(), non_stream_[i].end());
            if (values.empty()) continue;
            ExactRow row{.part = part, .metric = metric, .n = values.size()};
            for (std::size_t p = 0; p < row.us.size(); ++p)
                row.us[p] = *metrics::percentile_of(values, metrics::kShownPercentiles[p]);
            rows.push_back(row);
        }
    }
    return rows;
}

}  // namespace oai::report
